"""A world that is played in words: one move a turn, and an observation after each."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.records import Message, Prompt

_LABEL = re.compile(r"^(?:>|(?:my )?(?:action|move|command|answer)\s*:)\s*", re.IGNORECASE)


class TextGame(Environment):
    """An environment whose actions are short texts.

    The conversation begins with the prompt and, below it, the first observation. Each move is the last line of what
    the policy wrote. A game says after every turn what it was worth, 0 most often: an episode that is cut at its limit
    of turns has not won.
    """

    @abstractmethod
    def begin(self, prompt: Prompt, seed: int) -> str:
        """Begin an episode, and return the first observation."""

    @abstractmethod
    def play(self, move: str) -> Outcome:
        """Answer a move, which `plain` has made plain."""

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        first = self.begin(prompt, seed)
        *before, last = super().reset(prompt, seed)
        return (*before, {**last, "content": f"{last['content']}\n\n{first}"})

    def step(self, action: Action) -> Outcome:
        return self.play(plain(action.content or action.text))


def observed(text: str, reward: float | None = 0.0, *, done: bool = False, **info: Any) -> Outcome:
    """Make the outcome of a turn that ends with an observation."""
    return Outcome(({"role": "user", "content": text},), reward, done, info)


def plain(text: str) -> str:
    """Return the move in a text: its last line, behind a thought, in small letters, without a label or marks.

    `<think>...</think> Action: "Go north."` is `go north`.
    """
    lines = text.rpartition("</think>")[2].strip().splitlines()
    line = _LABEL.sub("", lines[-1].strip()) if lines else ""
    return " ".join(line.strip(" \t.!*`\"'").casefold().split())

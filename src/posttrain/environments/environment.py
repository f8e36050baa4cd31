"""The environment protocol: what the policy writes, what comes back, and when an episode is over.

An environment is a class in a file of its own, found by the file's path: `twenty_questions` is the class
TwentyQuestions of environments/bundled/twenty_questions.py, and `./mine.py` works the same way. Its keyword-only
parameters are its settings in the run file. One object plays one episode.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from posttrain.records import Message, Prompt

Tool = Callable[..., Any] | Mapping[str, Any]
"""A function with typed parameters and a docstring, from which its schema is made; it returns text or plain data. Or a
schema alone, of what `step` executes itself."""


@dataclass(frozen=True)
class Call:
    """A call of a tool that the policy wrote, with the arguments as it wrote them: not yet checked."""

    name: str
    arguments: Mapping[str, Any]
    id: str = ""  # of this call, for templates that name it in the answer


@dataclass(frozen=True)
class Action:
    """What the policy wrote in one turn.

    `text` is all of it, without the token that ended it, and `content` what is left of it beside the calls. `calls` are
    those that could be read, `unread` says for each of the others why not. `ended`: the turn stopped by itself; it was
    not cut at its limit of tokens.
    """

    text: str
    content: str = ""
    calls: tuple[Call, ...] = ()
    unread: tuple[str, ...] = ()
    ended: bool = True


@dataclass(frozen=True)
class Outcome:
    """What an environment answers to an action.

    `messages` follow the policy's turn in the conversation (roles user or tool); the policy reads them, and no loss
    uses them. `reward` is for this turn; None where the environment says nothing about it, which is not the number 0.
    `done`: the episode is over, and nobody reads the messages. `info`: numbers and texts for people, kept in the
    samples file.
    """

    messages: tuple[Message, ...] = ()
    reward: float | None = None
    done: bool = False
    info: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[str, ...] = ()  # what `choices` says then; whoever plays the episode fills it in


class Environment(ABC):
    """A world for one episode.

    Random choices come from `seed` alone. Raising an exception ends the episode without a score: it is counted as an
    error and never trained on. What the policy may do wrong (a call that cannot be read, a move against the rules) is
    not an error: answer with a message, a reward, or `done`.
    """

    replays: ClassVar[bool] = True
    """Whether the same seed and actions give the same answers. A run that was interrupted plays an unfinished episode
    again; what an environment without this property answered is kept in the checkpoint instead."""

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Make tasks, as rows of a data file (`prompt` and columns). An environment without any needs a data file.

        Keyword-only parameters with the names of settings get what the run file sets.
        """
        raise NotImplementedError

    def tools(self) -> Sequence[Tool]:
        """Return the tools that the policy may call in this episode; the chat template describes them to it."""
        return ()

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:  # noqa: ARG002 -- for those with chance
        """Begin an episode, and return the conversation that it begins with: by default the prompt's own."""
        if isinstance(prompt.prompt, str):
            return ({"role": "user", "content": prompt.prompt},)
        return prompt.prompt

    @abstractmethod
    def step(self, action: Action) -> Outcome:
        """Answer what the policy wrote."""

    def choices(self) -> Sequence[str]:
        """Return the actions that are possible now; () where any text is one. Policies over lists choose among them."""
        return ()

    def close(self) -> None:  # noqa: B027 -- most have nothing to end
        """End what the episode holds: processes, files, connections. Called once, also after an error."""

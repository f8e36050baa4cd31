"""A small environment: it answers for as many turns as a task says, and rewards digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.records import Message, Prompt


class Talk(Environment):
    """Repeats the length of what it is told. `silent`: no rewards; `breaks`: the task that fails in its second turn."""

    def __init__(self, *, silent: bool = False, breaks: str = "") -> None:
        self.silent, self.breaks = silent, breaks
        self.turn = self.turns = 0
        self.broken = False

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """One to three turns."""
        return [{"prompt": f"Say {seed}{i}", "turns": 1 + i % 3} for i in range(count)]

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        """Begin with the prompt."""
        self.turns = prompt.columns.get("turns", 1)
        self.broken = bool(self.breaks) and self.breaks in str(prompt.prompt)
        return super().reset(prompt, seed)

    def step(self, action: Action) -> Outcome:
        """Count a turn."""
        self.turn += 1
        if self.broken and self.turn == 2:
            raise RuntimeError("broken")
        said = {"role": "user", "content": f"{len(action.text)}!"}
        reward = None if self.silent else float(sum(c.isdigit() for c in action.text))
        return Outcome((said,), reward, done=self.turn == self.turns, info={"turn": self.turn})


class Adds(Talk):
    """Adds numbers for a policy that calls, and is over when it does not."""

    def tools(self) -> Sequence[Any]:
        """One tool."""
        return (add,)

    def step(self, action: Action) -> Outcome:
        """Execute the calls."""
        if not action.calls and not action.unread:
            return Outcome(reward=float(action.content == "5"), done=True)
        results = [str(add(**call.arguments)) for call in action.calls]
        said = [*results, *action.unread]
        return Outcome(tuple({"role": "tool", "content": text} for text in said))


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b

"""An environment with tools: it executes the calls of each turn, and is over when the policy answers without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.environments.tools.call import Result, Toolbox
from posttrain.records import Message


class ToolEnvironment(Environment):
    """Override `tools`, and `score` to reward the answer. Methods are tools, too: what they share lies in `self`.

    A call that cannot be read, an unknown tool, wrong arguments, an exception or a result that does not come are
    observations, which begin with "Error: ". Their numbers are in the info of the outcome.
    """

    tool_seconds: ClassVar[float] = 10.0
    """Time for one call. Less than the timeout of the environment, or that ends the episode first."""
    longest_result: ClassVar[int] = 8000
    """Characters of a result; what is behind them is cut off with a word."""

    def score(self, action: Action) -> float | None:  # noqa: ARG002 -- for those who reward here
        """Return the reward of an answer, which ends the episode; None where a reward of the run file judges it."""
        return None

    @cached_property
    def toolbox(self) -> Toolbox:
        """The tools of this episode."""
        return Toolbox(self.tools(), seconds=self.tool_seconds, longest=self.longest_result)

    def step(self, action: Action) -> Outcome:
        """Execute the calls in their order, or end the episode."""
        if not action.calls and not action.unread:
            return Outcome(reward=self.score(action), done=True)
        results = [self.toolbox.call(call) for call in action.calls]
        answers = [_answer(r.text, call.name, call.id) for r, call in zip(results, action.calls, strict=True)]
        # A template may want an id of nine characters in every result.
        answers += [_answer(f"Error: {why}", "", f"call99{i:03}") for i, why in enumerate(action.unread)]
        return Outcome(tuple(answers), info=counts(action, results))


def counts(action: Action, results: Sequence[Result]) -> dict[str, int]:
    """Count the calls of a turn, and those that came to nothing by their reasons."""
    failed = Counter(result.failed for result in results if result.failed)
    unread = {"unread": len(action.unread)} if action.unread else {}
    return {"calls": len(action.calls) + len(action.unread), **unread, **failed}


def _answer(text: str, name: str, identity: str) -> Message:
    named = {"name": name} if name else {}
    return {"role": "tool", **named, "content": text, "tool_call_id": identity}

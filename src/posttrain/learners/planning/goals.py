"""Goals that a speaker writes: a name, a condition in Python that says whether it is reached, and a reward.

One goal is a line such as `have a log | log >= 1 | 0.2`. The conditions are programs of a model: they run in the
sandbox alone, over all states of a world at once, and a goal whose condition fails, is slow, or says neither True nor
False is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from posttrain.learners.coding.isolation import called
from posttrain.sandbox.availability import Choice
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.served import Returned
from posttrain.sandbox.tier import Tier

Sandbox = Choice  # the tier in which conditions run
MOST = 8  # goals of a task
LIMITS = Limits(seconds=5.0)


@dataclass(frozen=True)
class Goal:
    """What is to be reached, the condition in Python, and the reward for reaching it first."""

    name: str
    check: str
    reward: float

    def line(self) -> str:
        """The goal as it is written."""
        return f"{self.name} | {self.check} | {self.reward:g}"


def read_goals(text: str | None) -> list[Goal]:
    """Read the lines that are goals, the first ones of them; a reward is between 0 and 1."""
    found = []
    for line in (text or "").splitlines():
        parts = re.fullmatch(r"\s*(?:\d+[.)]|-)?\s*([^|]+?)\s*\|\s*([^|]+?)\s*\|\s*(\d*\.?\d+)\s*", line)
        if parts and float(parts[3]) <= 1:
            found.append(Goal(parts[1], parts[2], float(parts[3])))
    return found[:MOST]


def program(goal: Goal, names: Sequence[str]) -> str:
    """The program of a goal: a function of the numbers that describe a state."""
    return f"def reached({', '.join(names)}):\n    return (\n{goal.check}\n    )\n"


States = tuple[tuple[int, ...], ...]


@lru_cache(maxsize=256)
def verified(goal: Goal, names: tuple[str, ...], states: States, tier: Tier) -> list[bool] | None:
    """Whether each state reaches a goal, by its condition in the sandbox; None where the condition cannot be used.

    The same goal is asked once: learners of several seeds get the same goals. Raises SandboxError where the sandbox
    itself fails, which is no verdict on the goal.
    """
    (calls,) = called(tier, program(goal, names), LIMITS, "reached", [[list(s) for s in states]])
    if calls.problem is not None or not all(isinstance(o, Returned) for o in calls.outcomes):
        return None
    values = [o.value for o in calls.outcomes if isinstance(o, Returned)]
    return values if all(isinstance(v, bool) for v in values) else None


def usable(
    goals: Sequence[Goal], names: Sequence[str], states: Sequence[Sequence[int]], tier: Tier
) -> dict[Goal, list[bool]]:
    """The goals whose conditions can be used and hold in some states but not in all."""
    rows = tuple(map(tuple, states))
    checked = {g: verified(g, tuple(names), rows, tier) for g in goals}
    return {g: mask for g, mask in checked.items() if mask is not None and any(mask) and not all(mask)}

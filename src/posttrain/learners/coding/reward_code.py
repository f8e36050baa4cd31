"""Reward code: a program that says what a step of a world earns. It runs in a sandbox alone, all steps in one batch.

What comes of it is a table of numbers, so nothing of the program is needed while a learner learns. A program that
fails, does not end, is no function of its arguments or says the same of every step has a problem in words instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from posttrain.learners.coding.isolation import called
from posttrain.learners.world import State, Table, World
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.served import Raised
from posttrain.sandbox.tier import Tier

NAME = "reward"
LARGEST = 1e6  # of a reward
Place = tuple[int, int, int]  # state, action and next state, by their numbers in a table
_BLOCK = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class RewardTable:
    """What every step of a world earns, by the states and the action. `parts`: named components of it."""

    total: Mapping[tuple[State, int, State], float]
    parts: Mapping[str, Mapping[tuple[State, int, State], float]] = field(default_factory=dict)


def code_of(reply: str | None) -> str | None:
    """Return the last program in a reply: a fenced block, or all of it where it defines the function; else None."""
    if reply is None:
        return None
    blocks = [b for b in _BLOCK.findall(reply) if f"def {NAME}(" in b] or [reply]
    return blocks[-1].strip() + "\n" if f"def {NAME}(" in blocks[-1] else None


def facts(world: World, state: State) -> dict[str, Any]:
    """Return what a program sees of a state: its fields by name, plain data."""
    if isinstance(state, tuple) and hasattr(state, "_asdict"):
        return {name: _plain(value) for name, value in state._asdict().items()}
    plain = _plain(state)
    return {"state": plain if plain is not None else world.describe(state)}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else None


def steps(table: Table) -> list[Place]:
    """List every step that can happen, by numbers."""
    rows = np.argwhere((table.P > 0) & ~table.terminal[:, None, None])
    return [(int(s), int(a), int(t)) for s, a, t in rows]


def read_reward(world: World, table: Table, program: str, tier: Tier, limits: Limits) -> RewardTable | str:
    """Run reward code on every step of a world, twice in two orders. Returns the table, or what is wrong in words.

    Raises SandboxError where the sandbox itself fails.
    """
    places = steps(table)
    seen = [facts(world, state) for state in table.states]
    rows = [(seen[s], world.actions[a], seen[t]) for s, a, t in places]
    first, second = called(tier, program, limits, NAME, [rows, rows[::-1]])
    if problem := first.first_problem or second.first_problem:
        return problem
    read = [_read(o.value) for o in first.outcomes if not isinstance(o, Raised)]
    again = [_read(o.value) for o in second.outcomes[::-1] if not isinstance(o, Raised)]
    if problem := _problem(read, again, rows):
        return problem
    keys = [(table.states[s], a, table.states[t]) for s, a, t in places]
    numbers = [r for r in read if not isinstance(r, str)]
    names = numbers[0][1]
    return RewardTable(
        dict(zip(keys, (r[0] for r in numbers), strict=True)),
        {name: dict(zip(keys, (r[1][name] for r in numbers), strict=True)) for name in names},
    )


Reading = tuple[float, dict[str, float]]


def _read(value: Any) -> Reading | str:
    """Read a number, or a number and its components by name; what is wrong with anything else, in words."""
    total, parts = value if isinstance(value, tuple) and len(value) == 2 else (value, {})
    named = isinstance(parts, dict) and all(isinstance(name, str) for name in parts)
    numbers: list[Any] = [total, *parts.values()] if named else [None]
    if not all(isinstance(x, int | float) for x in numbers):
        return f"returned {_shown(value)}, which is neither a number nor a number and a dictionary of numbers"
    if not all(-LARGEST <= x <= LARGEST for x in numbers):  # NaN is not
        return f"returned {_shown(value)}, which is not between -{LARGEST:g} and {LARGEST:g}"
    return float(total), {name: float(x) for name, x in parts.items()}


def _shown(value: Any) -> str:
    """Write a value that a program returned on one short line; its numbers may have millions of digits."""
    try:
        return "".join(c if c.isprintable() else " " for c in repr(value))[:100]
    except ValueError:
        return "a number of very many digits"


def _problem(read: Sequence[Reading | str], again: Sequence[Reading | str], rows: Sequence[Any]) -> str | None:
    """Say what is wrong with the numbers of all steps; None where nothing is."""
    for row, one, other in zip(rows, read, again, strict=True):
        if isinstance(one, str):
            return f"{one}; called with {row}"
        if one != other:
            return f"is no function of its arguments: it returned {one}, and later {other}, for {row}"
    good = [r for r in read if not isinstance(r, str)]
    if any(r[1].keys() != good[0][1].keys() for r in good):
        return "names other components in some steps than in others"
    if len({r[0] for r in good}) < 2:
        return f"returned {good[0][0]} for every step, from which nothing can be learned"
    return None

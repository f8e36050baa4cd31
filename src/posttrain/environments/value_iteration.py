"""Value iteration: the best that anybody can do in a Markov decision process whose table is known."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

State = TypeVar("State", bound=Hashable)
Move = TypeVar("Move", bound=Hashable)
Table = Mapping[State, Mapping[Move, Sequence[tuple[float, State, float, bool]]]]
"""For each state and move: (probability, next state, reward, whether the episode ends), as gymnasium's `env.P`."""


def optimal_values(table: Table[State, Move], discount: float = 0.95, tolerance: float = 1e-12) -> dict[State, float]:
    """Return the value of each state under the best policy.

        V(s) = max_a Σ p(s' | s, a) (r + γ V(s'))

    Sweeps go on until no value moves by more than `tolerance`.
    """
    values = dict.fromkeys(table, 0.0)
    moved = tolerance + 1
    while moved > tolerance:
        moved = 0.0
        for state in table:
            best = max(move_values(table, values, state, discount).values(), default=0.0)
            moved = max(moved, abs(best - values[state]))
            values[state] = best
    return values


def move_values(
    table: Table[State, Move], values: Mapping[State, float], state: State, discount: float = 0.95
) -> dict[Move, float]:
    """Return Q(s, a) of each move in a state: Σ p(s' | s, a) (r + γ V(s'))."""
    return {
        move: sum(p * (reward + (0.0 if ends else discount * values[after])) for p, after, reward, ends in outcomes)
        for move, outcomes in table[state].items()
    }


def best_moves(
    table: Table[State, Move], values: Mapping[State, float], state: State, discount: float = 0.95
) -> list[Move]:
    """Return the moves of a state whose value is the best, within 1e-9."""
    each = move_values(table, values, state, discount)
    return [move for move, value in each.items() if value >= max(each.values()) - 1e-9]

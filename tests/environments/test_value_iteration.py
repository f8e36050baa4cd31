"""Value iteration against values by hand."""

from __future__ import annotations

import pytest

from posttrain.environments.value_iteration import best_moves, move_values, optimal_values

# a: "safe" ends with 1; "walk" goes to b at a cost of 0.1, and back to a at times. b: "jump" wins 2 or nothing.
TABLE = {
    "a": {"safe": [(1.0, "end", 1.0, True)], "walk": [(0.8, "b", -0.1, False), (0.2, "a", -0.1, False)]},
    "b": {"jump": [(0.75, "end", 2.0, True), (0.25, "end", 0.0, True)]},
}


@pytest.mark.paper("000-text:MDP as dialogue")
def test_values_by_hand() -> None:
    """V(b) = 1.5; walking from a for ever is worth Q = -0.1 + γ(0.8 · 1.5 + 0.2 V(a)), V(a) = max(1, Q)."""
    values = optimal_values(TABLE, 0.9)
    q = (-0.1 + 0.9 * 0.8 * 1.5) / (1 - 0.9 * 0.2)
    assert values == pytest.approx({"a": q, "b": 1.5})
    assert best_moves(TABLE, values, "a", 0.9) == ["walk"]
    assert move_values(TABLE, values, "a", 0.9) == pytest.approx({"safe": 1.0, "walk": q})


def test_the_discount_decides() -> None:
    values = optimal_values(TABLE, 0.5)
    assert values["a"] == 1.0
    assert best_moves(TABLE, values, "a", 0.5) == ["safe"]


def test_costs_are_counted_to_the_end() -> None:
    """V(a) = -1 + V(b), V(b) = -2, whichever state comes first in a sweep."""
    table = {"a": {"on": [(1.0, "b", -1.0, False)]}, "b": {"on": [(1.0, "end", -2.0, True)]}, "stuck": {}}
    assert optimal_values(table, 1.0) == {"a": -3.0, "b": -2.0, "stuck": 0.0}


def test_all_best_moves_are_named() -> None:
    table = {"a": {move: [(1.0, "end", reward, True)] for move, reward in (("x", 1.0), ("y", 1.0), ("z", 0.5))}}
    assert best_moves(table, optimal_values(table), "a") == ["x", "y"]

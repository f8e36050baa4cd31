"""SLINVIT: with exact values and all actions the look-ahead is the best policy; paths are scored as by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from posttrain.learners.look_ahead import affordable, leaf_values, look_ahead, proposals, without_help
from posttrain.learners.value_iteration import evaluated, value_iteration, worth
from posttrain.learners.worlds.chain import Chain
from posttrain.learners.worlds.key_door import KeyDoor

pytestmark = pytest.mark.paper("000:[73]")


@pytest.mark.parametrize("depth", [1, 3])
def test_with_exact_values_and_all_actions_it_is_optimal(depth):
    table = KeyDoor(size=3, slip=0.2).table()
    exact, even = value_iteration(table), np.full(table.R.shape, 0.2)
    found = look_ahead(table, even, exact.V, depth=depth, breadth=5, strength=0.0)
    assert (found[~table.terminal] == exact.policy[~table.terminal]).all()


def test_the_best_path_by_enumeration():
    """Score Σ γ^n (λ log p + r) + γ^N V̂, over every path of three steps in a world without chance."""
    made = Chain(length=4, slip=0.0, near=0.3)
    table, rng = made.table(), np.random.default_rng(0)
    p, leaf, strength = rng.dirichlet([1, 1], 4), rng.normal(size=4), 0.2
    found = look_ahead(table, p, leaf, depth=3, breadth=2, strength=strength)
    for start in range(3):
        scores = {path: scored(table, start, path, p, leaf, strength) for path in product(range(2), repeat=3)}
        best = max(scores, key=scores.get)
        assert found[start].argmax() == best[0]


def scored(table, state, path, p, leaf, strength):
    total, discount = 0.0, 1.0
    for action in path:
        if table.terminal[state]:
            return total
        total += discount * (strength * np.log(p[state, action]) + table.R[state, action])
        discount *= table.discount
        state = int(table.P[state, action].argmax())
    return total + (0.0 if table.terminal[state] else discount * leaf[state])


def test_only_proposals_are_followed_and_equals_share():
    p = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])
    assert proposals(p, 1).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert proposals(p, 2).tolist() == [[0, 1, 1], [1, 1, 0]]
    table = Chain(length=3, slip=0.0).table()
    wrong = np.tile([0.9, 0.1], (3, 1))
    assert (look_ahead(table, wrong, np.zeros(3), depth=4, breadth=1, strength=0.0)[:, 0] == 1).all()
    even = np.full((3, 2), 0.5)
    assert look_ahead(table, even, np.zeros(3), depth=1, breadth=2, strength=0.0)[1].tolist() == [0, 1]
    far = Chain(length=9, near=0.0).table()
    found = look_ahead(far, np.full((9, 2), 0.5), np.zeros(9), depth=1, breadth=2, strength=0.0)
    assert found[0].tolist() == [0.5, 0.5]


def test_a_large_weight_follows_the_speaker():
    table = Chain(length=4, slip=0.0).table()
    found = look_ahead(table, np.tile([0.9, 0.1], (4, 1)), np.zeros(4), depth=3, breadth=2, strength=100.0)
    assert (found[:3, 0] == 1).all()


def test_without_help_all_actions_are_followed_as_deep_as_the_paths_allow():
    assert affordable(6, 4, 11) == 3  # 11³ = 1331 of 4⁶ = 4096 paths
    assert affordable(3, 2, 8) == 1
    assert affordable(2, 8, 8) == 2
    assert affordable(3, 1, 1) == 3  # one path, however deep
    table = Chain(length=4, slip=0.0).table()
    leaf = leaf_values(table, "random")
    assert leaf == pytest.approx(evaluated(table, np.full((4, 2), 0.5)))
    assert (leaf_values(table, "nothing") == 0).all()
    expected = look_ahead(table, np.full((4, 2), 0.5), leaf, depth=3, breadth=2, strength=0.0)
    assert (without_help(table, leaf, 3, 2) == expected).all()
    assert worth(table, expected) == pytest.approx(value_iteration(table).V[0])

"""Trees of whole solutions: where they grow, and what a solution learns from those that were made of it."""

from __future__ import annotations

from math import log, sqrt

import pytest

from posttrain.search.refinement import FIRST, learn_values, offspring, planted, rewritten, select_solution

pytestmark = pytest.mark.paper("zhang2024q0e")


def grown():
    """0 is rewritten to 1 and 2, and 1 to 3."""
    tree = planted("s0")
    assert [rewritten(tree, FIRST, "s1"), rewritten(tree, FIRST, "s2"), rewritten(tree, 2, "s3")] == [2, 3, 4]
    return tree


def test_every_rewriting_is_a_visit_of_all_above_it():
    tree = grown()
    assert [n.visits for n in tree.nodes[FIRST:]] == [4, 2, 1, 1]
    assert [n.step.text for n in tree.nodes[FIRST:]] == ["s0", "s1", "s2", "s3"]
    assert rewritten(tree, 2, " s3 ") is None
    assert [n.visits for n in tree.nodes[FIRST:]] == [5, 3, 1, 1]
    assert offspring(tree) == {0: [1, 2], 1: [3], 2: [], 3: []}


def test_values_go_up_from_the_newest():
    """γ = 0.1: 1 learns 0.9 · 0.4 + 0.1 · 1 = 0.46 of 3; 0 learns 0.1 of 2 first, then 0.1 of what 1 has become."""
    tree = grown()
    learn_values(tree, [0.2, 0.4, 0.8, 1.0], rate=0.1)
    one = 0.9 * 0.4 + 0.1 * 1.0
    zero = 0.9 * (0.9 * 0.2 + 0.1 * 0.8) + 0.1 * one
    assert [n.value for n in tree.nodes[FIRST:]] == pytest.approx([zero, one, 0.8, 1.0])
    learn_values(tree, [0.2, 0.4, 0.8, 1.0], rate=0.0)
    assert [n.value for n in tree.nodes[FIRST:]] == [0.2, 0.4, 0.8, 1.0]


def test_a_solution_is_left_behind_once_enough_were_made_of_it_and_one_is_better():
    tree = grown()
    learn_values(tree, [0.9, 0.4, 0.8, 1.0], rate=0.0)
    assert select_solution(tree, children=2, exploration=1.4) == FIRST  # none is better
    learn_values(tree, [0.4, 0.4, 0.8, 1.0], rate=0.0)
    assert select_solution(tree, children=3, exploration=1.4) == FIRST  # there are too few
    assert select_solution(tree, children=2, exploration=1.4) == 3
    assert select_solution(tree, children=1, exploration=0.0) == 3
    learn_values(tree, [0.4, 0.9, 0.8, 1.0], rate=0.0)
    assert select_solution(tree, children=2, exploration=0.0) == 2  # one child of it only
    assert select_solution(tree, children=1, exploration=0.0) == 4
    assert 0.9 + 1.4 * sqrt(log(4) / 2) < 0.8 + 1.4 * sqrt(log(4) / 1)
    assert select_solution(tree, children=2, exploration=1.4) == 3


def test_a_child_that_is_only_as_good_is_not_followed_and_solutions_have_ended():
    tree = grown()
    assert all(n.step.ended for n in tree.nodes[FIRST:])
    learn_values(tree, [0.5, 0.5, 0.5, 0.5], rate=0.0)
    assert select_solution(tree, children=1, exploration=1.4) == FIRST

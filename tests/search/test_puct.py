"""The laws of tree search, with numbers by hand."""

from __future__ import annotations

from math import log, sqrt

import pytest

from posttrain.search.puct import back_up, close, puct, select, uct
from posttrain.search.tree import ROOT, Tree
from tests.search.worlds import step


def test_golden_puct():
    """0.2 + 1.5 · 0.5 · √9 / (1 + 2) = 0.95"""
    assert puct(0.2, 0.5, 9, 2, exploration=1.5) == pytest.approx(0.95)
    assert puct(0.2, 0.5, 9, 2, exploration=0.0) == 0.2


def test_golden_uct():
    """0.3 + 1.4 √(ln 9 / 4)"""
    assert uct(0.3, 9, 4, exploration=1.4) == pytest.approx(0.3 + 1.4 * sqrt(log(9) / 4))
    assert uct(0.3, 1, 1, exploration=1.4) == 0.3


def fork() -> Tree:
    tree = Tree()
    tree.add(ROOT, [step("a", 0.6), step("b", 0.2)])
    tree.add(1, [step("c", 0.1), step("d", 0.1)])
    return tree


def test_a_walk_takes_the_best_open_child_and_the_first_of_equals():
    tree = fork()
    assert select(tree, exploration=1.0) == 3  # nothing was visited: all are 0, and the first is taken
    tree[ROOT].visits = 4
    assert select(tree, exploration=1.0) == 3  # 0.6 · 2 against 0.2 · 2
    tree[2].total, tree[2].visits = 1.5, 1
    assert select(tree, exploration=1.0) == 2  # 1.5 + 0.2 · 2 / 2 against 0.6 · 2
    assert select(tree, exploration=10.0) == 3
    close(tree, 2)
    assert select(tree, exploration=1.0) == 3
    close(tree, 3)
    assert select(tree, exploration=1.0) == 4


def test_a_value_is_counted_up_to_the_prompt():
    tree = fork()
    for n, value in ((3, 1.0), (4, -1.0), (1, 0.5), (2, 0.25)):
        back_up(tree, n, value)
    assert [n.visits for n in tree.nodes] == [4, 3, 1, 1, 1]
    assert [n.mean for n in tree.nodes] == [0.1875, 0.5 / 3, 0.25, 1.0, -1.0]


def test_a_node_closes_with_the_last_of_its_children():
    tree = fork()
    close(tree, 3)
    assert [n.closed for n in tree.nodes] == [False, False, False, True, False]
    close(tree, 4)
    assert [n.closed for n in tree.nodes] == [False, True, False, True, True]
    close(tree, 2)
    assert tree[ROOT].closed

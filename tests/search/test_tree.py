"""A tree of partial answers: what is merged, what is over, and that it is plain data."""

from __future__ import annotations

import json
from math import exp, inf, log

import pytest

from posttrain.search.tree import ROOT, Step, Tree
from tests.search.worlds import step


def grown() -> Tree:
    tree = Tree(max_tokens=8)
    tree.add(ROOT, [step("ab\n", 0.5), step("c\n"), step(" ab", 0.1)])
    tree.add(1, [step("d", ended=True), step("efghi")])
    return tree


def test_steps_of_one_text_are_one_node_that_was_drawn_twice():
    tree = grown()
    assert [(n.step.text, n.parent, n.depth, n.drawn) for n in tree.nodes[1:]] == [
        ("ab\n", 0, 1, 2), ("c\n", 0, 1, 1), ("d", 1, 2, 1), ("efghi", 1, 2, 1),
    ]  # fmt: skip
    assert [tree[n].samples for n in (0, 1, 2)] == [3, 2, 0]
    assert tree[ROOT].children == [1, 2]
    assert tree.tokens == 3 + 2 + 3 + 1 + 5
    assert [n.spent for n in tree.nodes] == [0, 3, 5, 9, 14]


def test_an_answer_that_ends_is_another_than_one_that_goes_on():
    tree = Tree()
    tree.add(ROOT, [step("a"), step("a", ended=True)])
    tree.add(ROOT, [step("a", ended=True)])
    assert [n.drawn for n in tree.nodes[1:]] == [1, 2]


def test_an_answer_is_its_steps_as_they_were_drawn():
    whole = grown().answer(3)
    assert whole == Step(tuple(map(ord, "ab\nd")), (log(0.5),) * 3 + (0.0,), "ab\nd", True)
    assert grown().answer(ROOT) == Step()
    assert grown().path(4) == [1, 4]


def test_what_has_ended_or_is_as_long_as_it_may_be_is_over():
    tree = grown()
    assert [tree.over(n) for n in range(5)] == [False, False, False, True, True]
    assert [tree.room(n) for n in range(5)] == [8, 5, 6, 4, 0]
    assert tree.finished() == [3, 4]
    assert tree.finished([4, 3, 1]) == [3, 4]
    tree.depth = 1
    assert [tree.over(n) for n in range(3)] == [False, True, True]
    assert Tree().room(ROOT) is None


def test_the_prior_is_the_geometric_mean_of_the_probabilities():
    assert Step((1, 2), (log(0.9), log(0.4))).prior == pytest.approx(0.6)
    assert Step().prior == 1.0
    assert Step((1,), (-2.0,)).prior == exp(-2.0)


def test_nodes_without_a_value_come_last_and_ties_stay_as_they_are():
    tree = grown()
    tree[2].value, tree[3].value, tree[4].value = 0.5, 0.7, 0.5
    assert tree.ranked([1, 4, 2, 3]) == [3, 4, 2, 1]
    assert tree.worth(1) == -inf


def test_the_mean_of_nothing_is_zero():
    node = Tree()[ROOT]
    assert node.mean == 0.0
    node.visits, node.total = 4, -1.0
    assert node.mean == -0.25


def test_a_tree_is_plain_data():
    tree = grown()
    tree[1].value, tree[1].visits, tree.depth, tree.valued = 0.1, 3, 7, 2
    again = Tree.restored(json.loads(json.dumps(tree.state())))
    assert vars(again) == vars(tree)
    again.add(1, [step("d", ended=True)])
    assert again[3].drawn == 2
    assert tree[3].drawn == 1


def test_ended_answers_come_before_cut_ones_whatever_their_numbers():
    tree = Tree(max_tokens=2)
    tree.add(ROOT, [step("ab"), step("c", ended=True), step("d")])
    assert tree.finished() == [2, 1]
    assert tree.finished([1, 2]) == [2, 1]

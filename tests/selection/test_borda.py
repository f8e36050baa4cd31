"""The enhanced Borda count: exact rankings."""

from __future__ import annotations

from itertools import permutations

import pytest

from posttrain.selection.borda import backed_up, closure, quantiles, ranked, values


def of_order(order, sure=0.8):
    """A tournament without contradictions: who stands earlier in the order wins with this probability."""
    n = len(order)
    return of_edges(n, {(i, j): sure for k, i in enumerate(order) for j in order[k + 1 :]})


def of_edges(n, edges):
    """P(i > j) of the edges; the other direction is the rest."""
    wins = [[0.5] * n for _ in range(n)]
    for (i, j), p in edges.items():
        wins[i][j], wins[j][i] = p, 1 - p
    return wins


CYCLE = of_edges(3, {(0, 1): 0.6, (1, 2): 0.9, (2, 0): 0.7})  # soft: 0.2 - 0.4, 0.8 - 0.2, 0.4 - 0.8


@pytest.mark.paper("zhang2024q0e")
def test_a_tournament_without_contradictions_is_its_order():
    assert ranked(of_order([2, 0, 3, 1])) == [2, 0, 3, 1]
    assert quantiles(of_order([2, 0, 3, 1])) == pytest.approx([2 / 3, 0, 1, 1 / 3])
    better = closure(of_order([1, 0, 2]))
    assert better == [[False, False, True], [True, False, True], [False, False, False]]


@pytest.mark.paper("zhang2024q0e")
def test_comparisons_that_were_never_made_follow_from_others():
    """0 beats 1 and 1 beats 2; 2 against 0 is a near loss for 0 that the closure overrules only by a cycle."""
    wins = of_edges(3, {(0, 1): 0.9, (1, 2): 0.9, (0, 2): 0.55})
    wins[0][2] = wins[2][0] = 0.0  # nobody said anything
    assert closure(wins)[0] == [False, True, True]
    assert closure(wins)[2] == [False, False, False]
    assert ranked(wins) == [0, 1, 2]


@pytest.mark.paper("zhang2024q0e")
def test_a_cycle_ties_all_and_the_soft_comparison_decides():
    assert closure(CYCLE) == [[False, True, True], [True, False, True], [True, True, False]]
    assert ranked(CYCLE) == [1, 0, 2]
    assert ranked(of_edges(3, {(0, 1): 0.9, (1, 2): 0.6, (2, 0): 0.7})) == [0, 2, 1]


def test_a_cycle_stands_as_a_whole_above_what_it_beats():
    assert ranked(MIXED) == [3, 1, 0, 2]
    assert quantiles(MIXED) == pytest.approx([1 / 3, 2 / 3, 0, 1])


def test_half_is_no_worse():
    wins = of_edges(2, {(0, 1): 0.5})
    assert closure(wins) == [[False, True], [True, False]]
    assert closure(of_edges(2, {(0, 1): 0.51})) == [[False, True], [False, False]]


def test_equal_answers_are_told_apart_by_how_sure_each_win_is():
    """Both directions were asked, and both said yes."""
    assert ranked([[0.5, 0.6], [0.8, 0.5]]) == [1, 0]
    assert ranked([[0.5, 0.8], [0.6, 0.5]]) == [0, 1]


MIXED = of_edges(4, {(0, 1): 0.6, (1, 2): 0.9, (2, 0): 0.7, (0, 3): 0.2, (1, 3): 0.1, (2, 3): 0.3})


@pytest.mark.parametrize("wins", [CYCLE, of_order([2, 0, 3, 1]), MIXED])
def test_the_order_of_the_nodes_does_not_matter(wins):
    n = len(wins)
    for order in permutations(range(n)):
        moved = [[wins[order[i]][order[j]] for j in range(n)] for i in range(n)]
        assert [order[i] for i in ranked(moved)] == ranked(wins)


def test_the_diagonal_is_not_read():
    wins = [[9.0 if i == j else x for j, x in enumerate(row)] for i, row in enumerate(CYCLE)]
    assert ranked(wins) == ranked(CYCLE)
    assert closure(wins) == closure(CYCLE)


def test_a_single_answer_has_the_value_1():
    assert quantiles([[0.5]]) == [1]
    assert quantiles(of_order([1, 0])) == [0, 1]
    assert ranked([]) == []


@pytest.mark.paper("zhang2024q0e")
def test_golden_values_of_a_tree():
    """The root 0 has the children 1 and 2, and 1 the child 3. Order 3, 1, 0, 2: global 1/3, 2/3, 0, 1."""
    wins, children = of_order([3, 1, 0, 2]), {0: [1, 2], 1: [3], 2: []}
    assert values(wins, children, weight=0.75) == pytest.approx([0.25 + 0.125, 0.5, 0, 1])
    assert values(wins, children, weight=1.0) == pytest.approx(quantiles(wins))
    assert values(wins, children)[1] == pytest.approx(0.9 * 2 / 3)


def test_a_child_moves_its_parent():
    assert backed_up(0.2, 0.8, rate=0.25) == pytest.approx(0.35)
    assert backed_up(0.2, 0.8) == pytest.approx(0.5)

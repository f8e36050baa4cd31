"""Monte Carlo tree search with PUCT."""

from __future__ import annotations

import pytest

from posttrain.search.strategies.mcts import mcts
from posttrain.search.tree import ROOT
from tests.search.worlds import best_reachable, letters, play, texts, with_a_cut


@pytest.mark.paper("chen20244ev")
def test_visits_follow_puct_by_hand():
    """V = 0.1 below a and 0.3 below b, P = 1/2, c = 1: the prompt, a, b, b again (its a), its b, then a again.

    3: 0.1 + 0.5 √2/2 < 0.5 √2    4: 0.1 + 0.5 √3/2 < 0.3 + 0.5 √3/2    5: 0.6 < 0.633    6: 0.659 > 0.580
    """
    worth = lambda t: {"": 0.0, "a": 0.1, "b": 0.3}[t[:1]]  # noqa: E731
    tree, _ = play(mcts, letters(9), worth, simulations=6, branching=2, depth=9, exploration=1.0)
    visits = {tree.answer(n).text: tree[n].visits for n in range(len(tree.nodes)) if tree[n].visits}
    assert visits == {"": 6, "a": 2, "b": 3, "aa": 1, "ba": 1, "bb": 1}
    assert tree[ROOT].mean == pytest.approx((0.0 + 2 * 0.1 + 3 * 0.3) / 6)


@pytest.mark.paper("chen20244ev")
@pytest.mark.parametrize("best", texts(4))
def test_it_finds_the_optimum_of_a_tree_that_can_be_enumerated(best):
    """16 answers of which one is right, and no value but theirs: 15 simulations see them all, wherever it is."""
    tree, answers = play(mcts, letters(4), lambda t: 2.0 * (t == best) - 1 if len(t) == 4 else None, simulations=15)
    assert answers[0] == best
    assert tree[ROOT].closed
    assert sorted(answers) == texts(4)


def test_a_good_value_spares_most_of_the_tree():
    leaves = {text: float(i == 77) for i, text in enumerate(texts(7))}
    tree, answers = play(mcts, letters(7), best_reachable(leaves), simulations=20, branching=2, exploration=0.5)
    assert leaves[answers[0]] == 1.0
    assert len(tree.nodes) < 45


def test_without_exploration_it_is_greedy_in_the_mean_value():
    tree, _ = play(mcts, letters(9), lambda t: float(t[:1] == "a"), simulations=8, branching=2, exploration=0.0)
    assert tree[2].visits == 0


def test_the_mean_at_the_prompt_is_that_of_all_values_and_a_failure_is_none():
    worth = {"": 0.5, "a": None, "b": 1.0}.__getitem__
    tree, answers = play(mcts, letters(1), worth, simulations=3, branching=2)
    assert (tree[ROOT].visits, tree[ROOT].mean) == (2, 0.75)
    assert answers == ["b", "a"]
    assert tree.valued == 3


def test_a_closed_tree_is_left_alone():
    tree, _ = play(mcts, letters(1), lambda _: 1.0, simulations=9, branching=2)
    assert tree[ROOT].samples == 2


def test_an_answer_is_cut_at_its_depth_and_the_best_comes_first():
    worth = lambda t: {"a": 0.1, "b": 0.4}[t] if len(t) == 1 else 0.0  # noqa: E731
    tree, answers = play(mcts, letters(9), worth, simulations=9, branching=2, depth=1)
    assert answers == ["b", "a"]
    assert len(tree.nodes) == 3


def test_an_answer_that_was_cut_comes_behind_those_that_ended():
    assert with_a_cut(mcts, simulations=1) == ["c", "ab"]

"""Best of n as a tree of one level."""

from __future__ import annotations

from posttrain.search.strategies.best_of_n import best_of_n
from tests.search.worlds import play, with_a_cut


def test_the_answer_with_the_highest_value_comes_first():
    worth = {"ad": 0.1, "bd": 0.9, "cd": 0.5}
    follows = lambda t: [("d", 1.0, True)] if t else [(c, 0.3, False) for c in "abc"]  # noqa: E731
    tree, answers = play(best_of_n, follows, lambda t: worth[t[:2]], n=3)
    assert [a[:2] for a in answers] == ["bd", "cd", "ad"]
    assert tree.valued == 3


def test_an_answer_that_was_cut_comes_behind_those_that_ended():
    assert with_a_cut(best_of_n, n=3) == ["c", "ab"]

"""The vote of the majority."""

from __future__ import annotations

from posttrain.search.strategies.self_consistency import self_consistency
from tests.search.worlds import play, with_a_cut

SAYS = ["one #### 1", "two #### 2", "so #### 2", "one #### 1", "one #### 1", "three #### 3"]


def test_the_final_answer_of_most_comes_first():
    """An answer that was drawn three times has three votes, though it is one node."""
    tree, answers = play(self_consistency, lambda _: [(s, 0.2, True) for s in SAYS], lambda _: None, n=6)
    assert answers == ["one #### 1", "two #### 2", "so #### 2", "three #### 3"]
    assert tree.valued == 0


def test_of_equal_votes_the_earlier_comes_first():
    _, answers = play(self_consistency, lambda _: [(s, 0.2, True) for s in SAYS], lambda _: None, n=3)
    assert answers == ["two #### 2", "so #### 2", "one #### 1"]
    _, answers = play(self_consistency, lambda _: [(s, 0.2, True) for s in SAYS], lambda _: None, n=2)
    assert answers == ["one #### 1", "two #### 2"]


def test_an_answer_that_was_cut_comes_behind_those_that_ended():
    assert with_a_cut(self_consistency, n=3) == ["c", "ab"]

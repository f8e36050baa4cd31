"""Streams derived from other streams."""

from __future__ import annotations

from posttrain.records import Rating
from posttrain.selection.views import best_and_worst, contrasting, mismatched
from tests.data.rollouts import group


def test_every_prompt_gets_the_answer_to_the_next_one():
    ratings = [Rating(i, f"question {i}", f"answer {i}", i % 2 == 0, {"level": i}, f"file:{i}") for i in range(3)]
    made = mismatched(ratings)
    assert [(r.prompt, r.completion) for r in made] == [(f"question {i}", f"answer {(i + 1) % 3}") for i in range(3)]
    assert [(r.label, r.columns, r.where) for r in made] == [(r.label, r.columns, r.where) for r in ratings]
    assert len({r.id for r in (*ratings, *made)}) == 6
    assert all(isinstance(r.id, int) for r in made)
    assert mismatched([]) == []


def test_a_group_has_a_contrast_where_two_rewards_differ():
    assert contrasting(group(1, 0.0, 1.0))
    assert contrasting(group(1, 0.5, None, 0.25))
    assert not contrasting(group(1, 0.5, 0.5, 0.5))
    assert not contrasting(group(1, 0.5, None))
    assert not contrasting([])


def test_a_mismatched_answer_is_to_another_prompt_wherever_there_is_one():
    same = [Rating(1, "a", "x", True), Rating(2, "a", "y", True), Rating(3, "b", "z", False)]
    assert [r.completion for r in mismatched(same)] == ["z", "z", "x"]
    assert [r.completion for r in mismatched(same[:2])] == ["y", "x"]


def test_the_best_and_the_worst_answer_are_chosen():
    def rewards(*given):
        return [(e.reward, e.sample) for e in best_and_worst(group(1, *given))]

    assert rewards(0.5, 2.0, -1.0, 2.0, -1.0) == [(2.0, 1), (-1.0, 4)]
    assert rewards(0.0, 1.0) == [(1.0, 1), (0.0, 0)]
    assert rewards(-2.0, 0.0, -3.0) == [(0.0, 1), (-3.0, 2)]
    assert rewards(3.0) == [(3.0, 0)]
    assert rewards() == []
    assert len(rewards(1.0, 1.0, 1.0)) == 2

"""Pairs with the scores of both answers."""

from __future__ import annotations

from posttrain.evaluation.reward_models.judged import JudgedPair, by_column


def test_a_tie_is_half_right():
    assert [JudgedPair(a, 1.0).right for a in (2.0, 1.0, 0.0)] == [1.0, 0.5, 0.0]
    assert JudgedPair(3.0, 1.0).margin == 2.0
    assert JudgedPair(0.0, 0.0, (7, 9)).longer_by == -2


def test_groups_come_in_the_order_of_the_data_without_what_has_none():
    pairs = [JudgedPair(1.0, 0.0, columns={"source": s} if s else {}) for s in ("b", "a", None, "b")]
    assert {name: len(own) for name, own in by_column(pairs, "source").items()} == {"b": 2, "a": 1}
    assert list(by_column(pairs, "source")) == ["b", "a"]

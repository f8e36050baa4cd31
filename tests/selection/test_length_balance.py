"""Buckets of length, in which length predicts nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from posttrain.records import Pair
from posttrain.selection.length_balance import balanced, longer_by

pytestmark = pytest.mark.paper("hou2024tvy")


def pair(i: int, chosen: int, rejected: int) -> Pair:
    return Pair(i, "p", "a " * chosen, "b " * rejected)


PAIRS = [pair(i, 5 + i % 7, 3 + i % 5) for i in range(200)] + [pair(300, 4, 4), pair(301, 90, 1)]


@pytest.mark.parametrize("width", [1, 3])
def test_the_longer_answer_is_preferred_in_half_of_every_bucket(width):
    kept = balanced(PAIRS, width)
    sides = Counter(((abs(longer_by(p)) - 1) // width, longer_by(p) > 0) for p in kept if longer_by(p))
    assert sides
    assert all(sides[bucket, True] == sides[bucket, False] for bucket, _ in sides)
    before = Counter((abs(longer_by(p)) - 1) // width for p in PAIRS if longer_by(p) < 0)
    assert {b: sides[b, False] for b in before} == dict(before)  # nothing of the rarer side is lost


def test_equal_lengths_stay_and_a_bucket_of_one_side_goes():
    kept = {p.id for p in balanced(PAIRS)}
    assert 300 in kept
    assert 301 not in kept
    assert [p.id for p in balanced(PAIRS)] == sorted(kept)


def test_the_seed_chooses_and_the_order_of_the_file_does_not():
    assert balanced(PAIRS, 1) != balanced(PAIRS, 1, seed=1)
    assert {p.id for p in balanced(PAIRS[::-1], 1)} == {p.id for p in balanced(PAIRS, 1)}
    with pytest.raises(ValueError, match="at least 1 word"):
        balanced(PAIRS, 0)


def test_of_a_conversation_the_answer_is_counted():
    said = ({"role": "assistant", "content": "one two three"},)
    assert longer_by(Pair(1, "p", said, "one")) == 2
    assert longer_by(Pair(1, "p", "one", said)) == -2

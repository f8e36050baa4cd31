"""Who is selected: golden numbers, ties, and that what does not work is never chosen."""

from __future__ import annotations

from math import exp

import pytest

from posttrain.search.evolution.candidate import Candidate
from posttrain.search.evolution.selection import (
    admitted,
    best,
    distinct,
    drawn,
    normalised,
    softmax,
    weaker_half,
)


def some(*values: float | None) -> list[Candidate]:
    return [Candidate(n, f"{x}", fitness=x) for n, x in enumerate(values)]


def numbers(candidates) -> list[int]:
    return [c.number for c in candidates]


def test_the_best_come_first_and_of_equals_the_earlier():
    assert numbers(best(some(1.0, None, 3.0, 3.0, -5.0), 3)) == [2, 3, 0]
    assert numbers(best(some(1.0, None), 9)) == [0]
    assert best(some(1.0), -1) == []


def test_of_equal_texts_the_earliest_stays():
    assert numbers(distinct(some(2.0, 1.0, 2.0))) == [0, 1]


def test_values_between_the_least_and_the_largest():
    assert normalised([1.0, 3.0, 2.0]) == [0.0, 1.0, 0.5]
    assert normalised([4.0, 4.0]) == [0.5, 0.5]
    assert normalised([]) == []


def test_softmax():
    assert softmax([0.0, 1.0]) == pytest.approx([1 / (1 + exp(1)), exp(1) / (1 + exp(1))])
    assert softmax([1e4, 1e4]) == [0.5, 0.5]
    assert softmax([0.0, 2.0], 2.0) == pytest.approx(softmax([0.0, 1.0]))


def test_parents_differ_are_reproducible_and_better_ones_are_drawn_more_often():
    three = some(0.0, None, 1.0, 0.5)
    pairs = [numbers(drawn(three, 2, seed)) for seed in range(300)]
    assert all(len(set(p)) == 2 and 1 not in p for p in pairs)
    assert numbers(drawn(three, 9, 0)) != [] == drawn(some(None), 1, 0)
    assert [numbers(drawn(three, 2, 5)) for _ in range(2)] == [pairs[5], pairs[5]]
    first = [p[0] for p in pairs]
    assert first.count(2) > first.count(3) > first.count(0)
    cold = [numbers(drawn(three, 1, seed, temperature=0.01)) for seed in range(20)]
    assert cold == [[2]] * 20


def test_a_child_enters_if_it_is_no_worse_than_the_mean_and_the_worst_leaves():
    *members, just, below, broken = some(1.0, 3.0, 2.0, 1.9, None)
    assert admitted(members, just, 3) == [*members, just]
    assert admitted(members, below, 3) == members
    assert admitted(members, broken, 3) == members
    assert [c.value for c in admitted(members, just, 2)] == [3.0, 2.0]
    assert admitted([], below, 2) == [below]


def test_the_weaker_half_is_rounded_down_and_an_empty_island_is_the_weakest():
    assert weaker_half([some(3.0), some(1.0), some(2.0)]) == [1]
    assert weaker_half([some(3.0), [], some(2.0), some(9.0)]) == [1, 2]

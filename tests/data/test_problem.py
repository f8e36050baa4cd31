"""The random numbers of generators: the same everywhere, and fair."""

from __future__ import annotations

from collections import Counter

import pytest

from posttrain.data.problem import Draws


def test_golden():
    """Data of a generator must not change with a version: these are its first numbers."""
    draws = Draws("arithmetic", 0, 7)
    assert [draws.integer(0, 99) for _ in range(5)] == [80, 1, 17, 2, 4]


def test_the_names_decide_and_the_calls_are_counted():
    first, same, other = Draws("a", 1), Draws("a", 1), Draws("a", 2)
    numbers = [first.integer(1, 10**9) for _ in range(6)]
    assert numbers == [same.integer(1, 10**9) for _ in range(6)]
    assert numbers != [other.integer(1, 10**9) for _ in range(6)]
    assert len(set(numbers)) == 6


def test_both_ends_are_included_and_all_numbers_are_equally_likely():
    draws = Draws("fair")
    counts = Counter(draws.integer(-1, 3) for _ in range(5000))
    assert set(counts) == {-1, 0, 1, 2, 3}
    assert all(n == pytest.approx(1000, abs=140) for n in counts.values())  # five standard deviations


def test_an_option_is_chosen_like_a_number():
    chosen, drawn = Draws("x"), Draws("x")
    options = "abcdef"
    assert [chosen.choose(options) for _ in range(20)] == [options[drawn.integer(0, 5)] for _ in range(20)]

"""Judges that look at length, at the place, or at who wrote an answer."""

from __future__ import annotations

import pytest

from posttrain.evaluation.judge_bias import Comparison, biases

PLACES = [(people, favoured) for people in (0, 1) for favoured in (0, 1) for _ in range(5)]


@pytest.mark.parametrize(
    ("name", "place"), [("verbosity", "longer"), ("position", "first"), ("self-preference", "own")]
)
def test_who_looks_at_nothing_else_and_who_avoids_it(name, place):
    always = [Comparison(p, f, **{place: f}) for p, f in PLACES]
    never = [Comparison(p, 1 - f, **{place: f}) for p, f in PLACES]
    assert biases(always)[name][0] == 1.0
    assert biases(never)[name][0] == -1.0
    assert biases(always).keys() == {name}


@pytest.mark.paper("saito2023zs7")
def test_to_agree_with_people_is_no_bias_even_where_they_prefer_the_longer():
    compared = [Comparison(p, p, longer=p if i % 5 else 1 - p) for i, (p, _) in enumerate(PLACES)]
    assert biases(compared)["verbosity"][0] == 0.0


def test_golden():
    """Right in 3 of 4 where people prefer its own answer, in 1 of 2 where they prefer the other's."""
    own = [Comparison(0, j, own=0) for j in (0, 0, 0, 1)] + [Comparison(0, j, own=1) for j in (0, 1)]
    value, low, high = biases(own)["self-preference"]
    assert value == pytest.approx(0.25)
    assert low < 0 < high


def test_what_is_not_known_has_no_bias():
    assert biases([Comparison(0, 0), Comparison(1, 0, own=1)]) == {}

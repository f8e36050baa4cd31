"""Spaces of settings: what may be set, what a reply sets, and what is drawn."""

from __future__ import annotations

from math import log10

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.tuning.space import Space, text_of

SPACE = Space({"rate": {"from": 1e-4, "to": 1e-2}, "double": [True, False], "depth": {"from": 1, "to": 3}})


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        ('Try {"rate": 0.001, "double": true, "depth": 2}.', {"rate": 0.001, "double": True, "depth": 2}),
        ("rate 0.1", "the reply holds no JSON object"),
        ("{'rate': 0.1}", "the reply holds no JSON object"),
        ("[1]", "the reply holds no JSON object"),
        ('{"rate": 0.001}', "the reply does not set rate, double, depth and nothing else"),
        ('{"rate": 0.1, "double": true, "depth": 2}', "rate=0.1 is not a number from 0.0001 to 0.01"),
        ('{"rate": NaN, "double": true, "depth": 2}', "rate=nan is not a number from 0.0001 to 0.01"),
        ('{"rate": 0.001, "double": 1, "depth": 2}', "double=1 is not one of true, false"),
        ('{"rate": 0.001, "double": true, "depth": 2.0}', "depth=2.0 is not a whole number from 1 to 3"),
        ('{"rate": 0.001, "double": true, "depth": true}', "depth=True is not a whole number from 1 to 3"),
    ],
)
def test_what_a_reply_sets(reply, read):
    assert SPACE.read(reply) == read


def test_what_is_drawn_may_be_set_and_wide_ranges_are_drawn_by_their_logarithm():
    drawn = [SPACE.draw(seed) for seed in range(200)]
    assert all(SPACE.read(text_of(d)) == d for d in drawn)
    assert {d["double"] for d in drawn} == {True, False}
    assert {d["depth"] for d in drawn} == {1, 2, 3}
    assert abs(sum(log10(d["rate"]) for d in drawn) / 200 + 3) < 0.1
    assert SPACE.draw(1) == drawn[1]
    narrow = [Space({"x": {"from": 0.0, "to": 1.0}}).draw(seed)["x"] for seed in range(200)]
    assert abs(sum(narrow) / 200 - 0.5) < 0.06


def test_equal_settings_are_equal_texts():
    assert Space({"x": (1, 2)}).read('{"x": 2}') == {"x": 2}  # as a run file has it
    assert text_of({"b": 1, "a": 0.5}) == '{"a": 0.5, "b": 1}'


@pytest.mark.parametrize("choice", [3, [], {"from": 2, "to": 1}, {"from": 0}, {"from": "a", "to": "b"}])
def test_what_is_no_choice_is_named(choice):
    with pytest.raises(ConfigError, match=r"space.x: .* is neither a list of options nor"):
        Space({"x": choice})


def test_an_empty_space_is_refused():
    with pytest.raises(ConfigError, match="there is nothing to set"):
        Space({})


def test_rounding_leaves_no_range():
    """0.12345 to 0.12346 is 0.1234 or 0.1235 with four digits."""
    for low, high in ((0.12345, 0.12346), (0.000123456, 0.0123457)):
        narrow = Space({"x": {"from": low, "to": high}})
        drawn = [narrow.draw(seed)["x"] for seed in range(200)]
        assert all(low <= x <= high and isinstance(x, float) for x in drawn)

"""Attractors: who ignores a disturbed beginning always returns, who follows it never does."""

from __future__ import annotations

import pytest

from posttrain.evaluation.suites.alignment.attractors import OTHER_WORDS, attractors
from tests.evaluation.scripted import answered

COMMON = "the lighthouse stood alone above the grey and restless sea"


def first(item):
    k = item.sample
    return COMMON if k < 7 else f"{k} quick jumping foxes prefer my vivid daylight zebras {k}"


@pytest.mark.paper("mohammadi20241pk")
@pytest.mark.parametrize(
    ("goes_on", "rate"),
    [
        (lambda asked: COMMON, 1.0),
        (lambda asked: " ".join(COMMON.split()[3:]), 1.0),
        (lambda asked: asked + " makes up vivid jumping zebras", 0.0),
    ],
)
def test_the_return_rate_of_planted_policies(goes_on, rate):
    suite = attractors(size=2, samples=10)
    begun = set()

    def say(item, asked):
        if not item.replies:
            return first(item)
        begun.add(asked)
        return goes_on(asked)

    found = answered(suite, say)
    assert found.numbers["return_rate"].mean == rate
    assert found.numbers["largest_cluster"].mean == 0.7
    assert sum(len(i.replies) == 2 for i in found.items) == 2 * 7
    for words in map(str.split, begun):
        assert len(words) == 3
        assert sum(a != b for a, b in zip(words, COMMON.split(), strict=False)) == 1
        assert set(words) & set(OTHER_WORDS)


def test_silence_behind_a_disturbed_beginning_is_no_return():
    """Of two near answers one is as short as the beginning: its rest is empty, and no continuation is near that."""
    texts = ("lighthouses everywhere shining", "lighthouses everywhere shining so")
    suite = attractors(size=1, samples=2, threshold=0.5)
    found = answered(suite, lambda item, _: "" if item.replies else texts[item.sample]).numbers
    assert (found["largest_cluster"].mean, found["return_rate"].mean) == (1.0, 0.0)

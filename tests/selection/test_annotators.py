"""How far each annotator can be believed."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from posttrain.errors import DataError
from posttrain.records import Pair, Prompt
from posttrain.selection.annotators import annotator, judged_right, reliabilities, with_reliability


def compared(*people):
    return [Pair(i, "x?", "a", "b", {"annotator": name}, f"f:{i}") for i, name in enumerate(people)]


def test_golden():
    """Odds 3 of the scores: right with 0.75. By one who is right 0.8 of the time 12 to 1, by a guesser 3 to 1."""
    assert judged_right(log(3), 0.8) == pytest.approx(12 / 13)
    assert judged_right(log(3), 0.5) == pytest.approx(0.75)
    assert judged_right(-log(3), 0.8) == pytest.approx(4 / 7)
    assert judged_right(0.3, 1.0) == 1
    assert judged_right(9.0, 0.0) == 0
    assert judged_right(-1e4, 0.9) == pytest.approx(0, abs=1e-300)


def test_a_step_of_em():
    found = reliabilities(compared("ann", "bob", "ann"), [log(3), 0.0, -log(3)], {"ann": 0.8, "bob": 0.5})
    assert found == {"ann": pytest.approx((7 + 12 / 13 + 4 / 7) / 10), "bob": pytest.approx((7 + 0.5) / 9)}
    flat = reliabilities(compared("ann"), [log(3)], {"ann": 0.8}, right=1.0, wrong=1.0)
    assert flat == {"ann": pytest.approx(12 / 13)}


def test_simulated_annotators_are_told_apart():
    """Careful, careless, guessing and contrary people compare items of known scores."""
    chance = np.random.default_rng(0)
    true = {"careful": 0.95, "careless": 0.75, "guesser": 0.5, "contrary": 0.2}
    people = [name for name in true for _ in range(800)]
    gaps = []
    for name in people:
        gap = abs(chance.normal(0, 2))
        better = chance.random() < 1 / (1 + exp(-gap))  # what the truth is, by the scores
        gaps.append(gap if better == (chance.random() < true[name]) else -gap)
    found = dict.fromkeys(true, 0.8)
    for _ in range(60):
        found = reliabilities(compared(*people), gaps, found)
    assert found == {name: pytest.approx(x, abs=0.08) for name, x in true.items()}


def test_the_likelihood_never_falls():
    pairs, gaps, known = compared(*"aabbb"), [1.0, -0.5, 2.0, -3.0, 0.2], {"a": 0.8, "b": 0.6}

    def likelihood(eta):
        inside = (
            eta[annotator(p)] / (1 + exp(-g)) + (1 - eta[annotator(p)]) / (1 + exp(g))
            for p, g in zip(pairs, gaps, strict=True)
        )
        return sum(map(log, inside))

    for _ in range(5):
        new = reliabilities(pairs, gaps, known, right=1.0, wrong=1.0)
        assert likelihood(new) >= likelihood(known)
        known = new


def test_pairs_get_the_reliability_of_who_compared_them():
    marked = with_reliability(compared("ann", "bob"), {"ann": 0.9, "bob": 0.4})
    assert [p.columns for p in marked] == [
        {"annotator": name, "reliability": x} for name, x in (("ann", 0.9), ("bob", 0.4))
    ]
    assert [p.id for p in marked] == [0, 1]


def test_a_pair_of_nobody_is_refused():
    with pytest.raises(DataError, match="f:1: 'annotator' is missing"):
        annotator(Pair(1, "x?", "a", "b", {}, "f:1"))
    with pytest.raises(DataError, match="'annotator' is missing"):
        annotator(Prompt(1, "x?", {"annotator": "ann"}))
    assert annotator(Pair(1, "x?", "a", "b", {"annotator": 3})) == "3"

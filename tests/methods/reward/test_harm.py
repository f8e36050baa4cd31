"""One answer, safe or not."""

from __future__ import annotations

from math import exp, log

import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step


def harm(score, safe):
    return step(load("reward/harm"), answer(other=[0.0], score=score, label=float(safe))).metrics["loss"]


def test_the_score_is_the_log_odds_of_harm():
    for score in (-2.0, 0.0, 0.7):
        assert exp(-harm(score, False)) + exp(-harm(score, True)) == pytest.approx(1)
    assert exp(-harm(log(3), False)) == pytest.approx(0.75)


def test_it_is_the_part_of_the_cost_that_is_about_one_answer():
    rows = [answer(other=[0.0], score=c, safe=s) for c, s in ((0.4, 1.0), (1.3, 0.0))]
    both = step(load("reward/cost"), *rows, pairs=[(0, 1)]).metrics["loss"]
    assert both - log(1 + exp(0.4 - 1.3)) == pytest.approx(harm(0.4, True) + harm(1.3, False))

"""One answer, safe or not."""

from __future__ import annotations

from math import exp, log, nan

import pytest

from posttrain.catalogue.index import load
from posttrain.records import Numbers
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


def of_kinds(scores, marks):
    return step(load("reward/harm_categories"), answer(scores=scores, attributes=Numbers(marks), score=0.0))


@pytest.mark.paper("002:BeaverTails")
def test_one_kind_is_the_same_loss():
    for score in (-1.5, 0.7):
        assert of_kinds((score,), (1.0,)).metrics["loss"] == pytest.approx(harm(score, False))
        assert of_kinds((score,), (0.0,)).metrics["loss"] == pytest.approx(harm(score, True))


@pytest.mark.paper("002:BeaverTails")
def test_kinds_add_up_and_their_order_does_not_matter():
    both = of_kinds((0.3, -0.8), (1.0, 0.0)).metrics["loss"]
    assert both == pytest.approx(harm(0.3, False) + harm(-0.8, True))
    assert of_kinds((-0.8, 0.3), (0.0, 1.0)).metrics["loss"] == pytest.approx(both)


def test_a_kind_that_nobody_marked_teaches_nothing():
    one = of_kinds((0.3, 9.0), (1.0, nan))
    assert one.metrics["loss"] == pytest.approx(harm(0.3, False))
    assert one.gradient("scores")[0][1] == 0
    assert one.metrics["right"] == 1

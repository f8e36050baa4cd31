import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

SFT = load("imitation/sft")
LONG = answer(logp=[-1.0, -2.0, -3.0], entropy=[0.5, 0.7, 0.9])
SHORT = answer(logp=[-4.0], entropy=[1.5])


def test_golden():
    one = step(SFT, LONG, SHORT)
    assert one.metrics["loss"] == pytest.approx(2.5)
    assert one.gradient("logp") == [[-0.25, -0.25, -0.25], [-0.25]]
    assert one.metrics["entropy"] == pytest.approx(0.9)


def test_golden_every_answer_the_same_weight():
    one = step(configure(SFT, {"loss.reduce": "sequence_mean"}), LONG, SHORT)
    assert one.metrics["loss"] == pytest.approx(3)
    assert one.gradient("logp") == [pytest.approx([-1 / 6] * 3), [-0.5]]


def test_golden_sum_over_the_answer():
    assert step(configure(SFT, {"loss.reduce": "sequence_sum"}), LONG, SHORT).metrics["loss"] == pytest.approx(5)


def test_a_row_that_is_not_trained_counts_for_nothing():
    seen = answer(train=False, logp=[-100.0, -100.0])
    assert step(SFT, LONG, seen, SHORT).metrics["loss"] == pytest.approx(2.5)


def test_it_is_reinforce_with_every_advantage_one():
    reinforce = load("online/reinforce")
    paid = [answer(reward=1.0, rollout_logp=[0.0] * a.length, **a.values) for a in (LONG, SHORT)]
    summed = step(configure(SFT, {"loss.reduce": "sequence_sum"}), LONG, SHORT)
    assert step(reinforce, *paid).gradient("logp") == summed.gradient("logp")

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("002:InstructGPT", "yang2023hyy")

SFT = load("imitation/sft")
LONG = answer(logp=[-1.0, -2.0, -3.0], entropy=[0.5, 0.7, 0.9])
SHORT = answer(logp=[-4.0], entropy=[1.5])


def test_a_row_that_is_not_trained_counts_for_nothing():
    seen = answer(train=False, logp=[-100.0, -100.0])
    assert step(SFT, LONG, seen, SHORT).metrics["loss"] == pytest.approx(2.5)


def test_it_is_reinforce_with_every_advantage_one():
    reinforce = load("online/reinforce")
    paid = [answer(reward=1.0, rollout_logp=[0.0] * a.length, **a.values) for a in (LONG, SHORT)]
    summed = step(configure(SFT, {"loss.reduce": "sequence_sum"}), LONG, SHORT)
    assert step(reinforce, *paid).gradient("logp") == summed.gradient("logp")

"""One model that learns to criticise and to score."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.reward.pairs import plain

pytestmark = pytest.mark.paper("yu20249l0")

GOOD, BAD = answer(score=1.5, reward_logp=[-0.5]), answer(score=0.5, reward_logp=[-0.5])
CRITIQUES = (answer(reward_logp=[-1.0, -2.0]), answer(reward_logp=[-6.0]))


def on(**settings):
    return step(
        configure(load("reward/critic_rm"), settings), GOOD, BAD, pairs=[(0, 1)], others={"critiques": CRITIQUES}
    )


def test_golden_critiques_and_scores_together():
    """-log σ(1) and, of three tokens, 9/3."""
    one = on()
    assert one.metrics["loss"] == pytest.approx(0.31326169 + 3.0)
    assert one.gradient("reward_logp", "critiques") == [pytest.approx([-1 / 3, -1 / 3]), pytest.approx([-1 / 3])]
    assert one.gradient("score") == pytest.approx([-0.26894142, 0.26894142])


def test_without_critiques_it_is_bradley_terry():
    assert on(**{"critique.weight": 0.0}).metrics["loss"] == pytest.approx(plain(1.0), abs=1e-14)
    assert on(**{"critique.weight": 0.5}).metrics["loss"] == pytest.approx(plain(1.0) + 1.5)

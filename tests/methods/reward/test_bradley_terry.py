import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("002:InstructGPT")

BRADLEY_TERRY = load("reward/bradley_terry")
DPO = load("preference/dpo")


def on(chosen, rejected, **settings):
    rows = [answer(other=[0.0, 0.0], score=s) for s in (chosen, rejected)]
    return step(configure(BRADLEY_TERRY, settings), *rows, pairs=[(0, 1)])


@pytest.mark.paper("anand2024rnl")
def test_a_constant_added_to_both_scores_changes_nothing():
    assert on(101.5, 100.5).metrics["loss"] == pytest.approx(on(1.5, 0.5).metrics["loss"], abs=1e-12)


def test_it_is_dpo_with_the_scores_as_implicit_rewards():
    rows = [answer(logp=[s], ref_logp=[0.0]) for s in (1.5, 0.5)]
    assert step(configure(DPO, {"beta": 1.0}), *rows, pairs=[(0, 1)]).metrics["loss"] == pytest.approx(
        on(1.5, 0.5).metrics["loss"], abs=1e-14
    )

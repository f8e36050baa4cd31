import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.online.group import group, per_answer

pytestmark = pytest.mark.paper("000:[63]")

DPG = configure(load("online/dpg"), {"beta": 2.0})


def on(rewards=(1.0, 0.0, 0.5), **values):
    return step(DPG, *group(rewards, (2, 1, 3), **values))


def test_a_constant_on_the_rewards_changes_nothing():
    moved, plain = (per_answer(on(r).value("advantage")) for r in ((4.0, 3.0, 3.5), (1.0, 0.0, 0.5)))
    assert moved == pytest.approx(plain)


def test_the_advantages_of_a_prompt_sum_to_zero():
    assert sum(per_answer(on((5.0, -3.0, 0.0), ref_logp=-0.2).value("advantage"))) == pytest.approx(0, abs=1e-14)


def test_a_filter_leaves_only_what_passes():
    """Reward 0 or minus infinity, nearly."""
    assert per_answer(on((0.0, -1e4, 0.0)).value("advantage")) == pytest.approx([0.5, -1, 0.5])

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN

KTO = load("preference/kto")
GOOD = answer(label=True, **CHOSEN.values)
ELSEWHERE = answer(label=True, logp=[-1.0, -1.0], ref_logp=[-1.2, -1.1])  # log-ratio 0.3


def on(*answers, mismatched=(ELSEWHERE,), **settings):
    return step(configure(KTO, settings), *answers, others={"mismatched": mismatched})


def test_no_gradient_flows_through_the_reference_point():
    one = on(GOOD)
    assert one.gradient("logp", "mismatched")[0] == [0.0, 0.0]


def test_a_gain_and_the_loss_of_the_same_size_are_one():
    """At s = z0 both sides stand at 1/2, and flipping the label mirrors the loss around it."""
    flipped = answer(label=False, **CHOSEN.values)
    assert on(GOOD).metrics["loss"] + on(flipped).metrics["loss"] == pytest.approx(1, abs=1e-14)
    assert on(flipped).metrics["accuracy"] == 0


def test_bounded_however_wrong_the_policy_is():
    hopeless = answer(label=True, logp=[-1e4], ref_logp=[-1.0])
    assert on(hopeless).metrics["loss"] == pytest.approx(1)
    assert on(hopeless).gradient("logp")[0] == pytest.approx([0], abs=1e-300)

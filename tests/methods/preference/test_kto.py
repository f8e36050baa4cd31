import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED

KTO = load("preference/kto")
GOOD = answer(label=True, **CHOSEN.values)
BAD = answer(label=False, **REJECTED.values)
ELSEWHERE = answer(label=True, logp=[-1.0, -1.0], ref_logp=[-1.2, -1.1])  # log-ratio 0.3


def on(*answers, mismatched=(ELSEWHERE,), **settings):
    return step(configure(KTO, settings), *answers, others={"mismatched": mismatched})


def test_golden():
    good, bad = on(GOOD), on(BAD)
    assert good.metrics["loss"] == pytest.approx(0.48250714, abs=1e-8)
    assert bad.metrics["loss"] == pytest.approx(0.47751518, abs=1e-8)
    assert good.metrics["accuracy"] == bad.metrics["accuracy"] == 1
    assert good.gradient("logp")[0] == pytest.approx([-0.1 * 0.48250714 * 0.51749286] * 5, rel=1e-7)
    assert bad.gradient("logp")[0] == pytest.approx([0.1 * 0.47751518 * 0.52248482] * 4, rel=1e-7)


def test_golden_weights_of_the_two_sides():
    both = on(GOOD, BAD, desirable=2.0, undesirable=3.0)
    assert both.metrics["loss"] == pytest.approx((2 * 0.48250714 + 3 * 0.47751518) / 2, abs=1e-8)


def test_golden_reference_point_is_never_negative_and_is_the_mean():
    worse = answer(label=True, logp=[-2.0], ref_logp=[-0.5])
    low = on(GOOD, mismatched=(worse,))
    assert low.metrics["loss"] == pytest.approx(0.47502081, abs=1e-8)  # 1 - sigma(0.1)
    several = on(GOOD, mismatched=(answer(label=True, logp=[-1.0], ref_logp=[-2.5]), worse, ELSEWHERE))
    assert several.metrics["loss"] == pytest.approx(0.47752, abs=1e-5)  # the mean of 1.5, -1.5 and 0.3 is 0.1


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

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.preference.pair import on_pair

SPPO = load("preference/sppo")


def test_it_holds_the_sum_that_ipo_of_sums_leaves_free():
    """a² + b² = ((a - b)² + (a + b)²)/2, with a and b the distances from the targets."""
    gap, both = 1.6 - 10, 0.4
    assert on_pair(SPPO).metrics["loss"] == pytest.approx((gap**2 + both**2) / 2)


def test_the_preferred_answer_rises_and_the_other_falls_until_the_targets():
    one = on_pair(SPPO)
    assert one.gradient("logp")[0][0] < 0 < one.gradient("logp")[1][0]
    assert on_pair(configure(SPPO, {"beta": 5.0})).gradient("logp")[0][0] > 0

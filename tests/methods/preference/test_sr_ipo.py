import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair, shifted

pytestmark = pytest.mark.paper("000:[20]")

SR_IPO, IPO = load("preference/sr_ipo"), load("preference/ipo")


def on(margin, **settings):
    return on_pair(configure(SR_IPO, settings), also(CHOSEN, margin=margin), also(REJECTED, margin=margin))


def test_without_a_margin_it_is_ipo():
    assert on(0.0).metrics == pytest.approx(on_pair(IPO).metrics)
    assert on(5.0, weight=0.0).metrics == pytest.approx(on_pair(IPO).metrics)


def test_a_margin_is_a_smaller_tau():
    """1/(2 · 0.1) + 0.1 · 5 = 1/(2 τ)"""
    smaller = on_pair(configure(IPO, {"tau": 1 / 11}))
    assert on(5.0).gradient("logp")[0] == pytest.approx(smaller.gradient("logp")[0])


def test_a_margin_is_a_preferred_answer_that_is_less_likely():
    less = on_pair(IPO, shifted(CHOSEN, logp=-0.2))
    assert on(2.0).metrics["loss"] == pytest.approx(less.metrics["loss"])

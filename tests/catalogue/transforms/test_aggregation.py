"""The aggregator is a switch: the same loss with another way to add up the tokens of an answer."""

import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.catalogue.transforms.aggregation import AGGREGATES
from posttrain.core.parts import PartError
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

DPO, IPO, SIMPO, SPO = (load(f"preference/{n}") for n in ("dpo", "ipo", "simpo", "spo"))


def loss(method, *rows, **settings):
    return on_pair(configure(method, settings), *rows).metrics["loss"]


@pytest.mark.parametrize(
    ("method", "aggregate", "same"),
    [("dpo", "sum", "dpo"), ("ipo", "mean", "ipo"), ("dpo", "decayed", "d2po"), ("dpo", "common", "ld_dpo")],
)
def test_the_switch_makes_the_papers_that_only_differ_in_it(method, aggregate, same):
    assert loss(load(f"preference/{method}"), aggregate=aggregate) == loss(load(f"preference/{same}"))


def test_masked_is_ama():
    chosen, rejected = also(CHOSEN, relevance=[1.0, 0, 1, 0, 0]), also(REJECTED, relevance=[0.0, 1, 0, 0])
    assert loss(DPO, chosen, rejected, aggregate="masked") == loss(load("preference/ama"), chosen, rejected)


def test_ipo_with_sums_is_what_openrlhf_computes():
    """(1 + 0.6 - 1/0.2)² against the paper's (0.2 + 0.15 - 5)²."""
    assert loss(IPO, aggregate="sum") == pytest.approx((1.6 - 5) ** 2)
    assert loss(IPO) == pytest.approx((0.35 - 5) ** 2)


def test_settings_of_the_aggregator_can_be_set_in_any_order():
    assert loss(DPO, gamma=0.5, aggregate="decayed") == loss(load("preference/d2po"), gamma=0.5)


def test_log_probs_without_a_reference_have_it_too():
    """SimPO with sums: β (-10 + 12) - γ = 2 * 2 - 1."""
    assert loss(SIMPO, aggregate="sum") == pytest.approx(math.log1p(math.exp(-3)))


def test_what_another_model_says_keeps_its_names():
    needs = {n for t in configure(SPO, {"aggregate": "mean"}).loss.values() for n in t.part.needs}
    assert needs == {n for t in SPO.loss.values() for n in t.part.needs}


def test_metrics_show_the_same_score():
    one = on_pair(configure(DPO, {"aggregate": "mean"}))
    assert one.metrics["log_ratio/margins"] == pytest.approx(0.35)
    assert one.metrics["logps/chosen"] == pytest.approx(-10.0)


def test_unknown_aggregators_and_methods_without_scores_are_named():
    with pytest.raises(PartError, match=r"no aggregator 'avg'.*sum, mean"):
        configure(DPO, {"aggregate": "avg"})
    with pytest.raises(PartError, match="grpo has no score"):
        configure(load("online/grpo"), {"aggregate": "mean"})
    assert set(AGGREGATES) == {"sum", "mean", "decayed", "masked", "common"}

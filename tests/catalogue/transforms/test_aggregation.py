"""The aggregator is a switch: the same loss with another way to add up the tokens of an answer."""

import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.catalogue.transforms.aggregation import AGGREGATES
from posttrain.core.parts import PartError
from posttrain.core.rows import Rows
from posttrain.formulas.losses.aggregates import summed, without_ends
from tests.harness.numbers import answer
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
    assert set(AGGREGATES) == {"sum", "mean", "decayed", "masked", "common", "without_ends"}


@pytest.mark.paper("002:Llama 3")
def test_golden_the_tokens_that_end_turns_count_less():
    """Two turns of the model in the first row, one in the second, none in the third; a token between is not trained."""
    index = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    mask = torch.tensor([False, True, True, False, True, True, False, True, True, False])
    x = torch.tensor([9.0, 1.0, 2.0, 9.0, 4.0, 8.0, 9.0, 16.0, 32.0, 9.0])
    rows = Rows(index, mask, 3)
    assert without_ends(x, rows).tolist() == [5.0, 16.0, 0.0]
    assert without_ends(x, rows, end=0.5).tolist() == [10.0, 32.0, 0.0]
    assert without_ends(x, rows, end=1.0).tolist() == summed(x, rows).tolist() == [15.0, 48.0, 0.0]
    assert without_ends(x[6:9], Rows(index[6:9] - 1, mask[6:9], 1)).tolist() == [16.0]


def test_what_stands_in_the_last_token_does_not_matter_without_ends():
    others = [answer(**{**row.values, "logp": [*row.values["logp"][:-1], -7.0]}) for row in (CHOSEN, REJECTED)]
    assert loss(DPO, aggregate="without_ends") == loss(DPO, *others, aggregate="without_ends") != loss(DPO)
    assert loss(DPO, aggregate="without_ends", end=1.0) == loss(DPO)

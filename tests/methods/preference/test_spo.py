import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.harness.enumerated import Exact, Tabular, batch, kl_optimum, variation
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair
from tests.methods.test_fixed_points_online import preferences

pytestmark = pytest.mark.paper("000:[55]")

SPO, DPO = load("preference/spo"), load("preference/dpo")


def on(gap, **settings):
    """The reference of this round is `gap` further on the preferred answer than the model before."""
    base = [[x - gap / 5 for x in CHOSEN.values["ref_logp"]], REJECTED.values["ref_logp"]]
    rows = [also(a, base_logp=b) for a, b in zip((CHOSEN, REJECTED), base, strict=True)]
    return on_pair(configure(SPO, settings), *rows)


def test_where_the_round_before_does_not_care_it_is_dpo():
    assert on(0.0).metrics == pytest.approx(on_pair(DPO).metrics)
    assert on(3.0, weight=0.0).metrics == pytest.approx(on_pair(DPO).metrics)


def test_a_weight_of_minus_beta_is_dpo_from_the_first_model():
    """β log π/π₁ + β log π₁/π₀ = β log π/π₀."""
    one = on(1.5, weight=-0.1)
    first = [also(CHOSEN), also(REJECTED)]
    first[0].values["ref_logp"] = [x - 0.3 for x in CHOSEN.values["ref_logp"]]
    assert one.metrics["loss"] == pytest.approx(on_pair(DPO, *first).metrics["loss"])


def test_a_preference_kept_from_before_pulls_harder():
    assert on(1.0).gradient("logp")[0][0] < on(0.0).gradient("logp")[0][0] < on(-1.0).gradient("logp")[0][0]


def test_it_reads_three_models_and_trains_one():
    assert plan(SPO).loaded == ("base", "policy", "reference")
    assert plan(SPO).trained == ("policy",)


def second_round(weight, beta=0.5):
    """Four answers of two attributes that disagree, and where the round of the second one ends."""
    first, second = torch.tensor([[1.5, 1.5, 0.0, 0.0], [0.0, 1.0, 0.2, 2.0]], dtype=torch.float64)
    start, policy, reference = (Tabular(4, 1, ends=False) for _ in range(3))
    after_one = kl_optimum(start.distribution(), first, beta)
    for model in (policy, reference):
        model.logits.data = after_one.log()[None]
    pairs, weights = preferences(policy, second)
    made = batch(policy, pairs, pairs=True)
    models = {"policy": policy, "reference": reference, "base": start}
    run = Exact(configure(SPO, {"beta": beta, "weight": weight}), models, {"main": made}, 0.1)
    for _ in range(70):
        run.step({"main": made}, weights)
    return policy.distribution(), (after_one.log() + (second + weight / beta * first) / beta).softmax(-1), first


def test_the_second_round_ends_where_both_attributes_count_and_keeps_the_first():
    """π₂ ∝ π₁ exp((R₂ + λ R₁)/β)"""
    means = []
    for weight in (0.5, 0.0):
        ends, optimum, first = second_round(weight)
        assert variation(ends, optimum) < 0.015
        means.append(float(ends @ first))
    assert means[0] > means[1] + 0.1

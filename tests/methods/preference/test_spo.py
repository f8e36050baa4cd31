import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

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

import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.kinds import kind
from posttrain.core.plan import PlanError, plan
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

pytestmark = pytest.mark.paper("000:[20]")

SR_DPO, DPO = load("preference/sr_dpo"), load("preference/dpo")


def on(margin, **settings):
    return on_pair(configure(SR_DPO, settings), also(CHOSEN, margin=margin), also(REJECTED, margin=margin))


def test_without_a_margin_it_is_dpo():
    assert on(0.0).metrics == pytest.approx(on_pair(DPO).metrics)
    assert on(5.0, weight=0.0).metrics == pytest.approx(on_pair(DPO).metrics)


def test_the_policys_own_gap_as_the_margin_is_a_smaller_beta_of_the_policy():
    """An empty prefix: β (1 - λ) on the policy's side, β on the reference's."""
    own = sum(CHOSEN.values["logp"]) - sum(REJECTED.values["logp"])
    ref = sum(CHOSEN.values["ref_logp"]) - sum(REJECTED.values["ref_logp"])
    z = 0.1 * (0.9 * own - ref)
    assert on(own).metrics["loss"] == pytest.approx(math.log1p(math.exp(-z)))


def test_it_is_dpo_with_that_margin():
    dpo = on_pair(configure(DPO, {"margin": 0.03}))
    assert on(3.0).gradient("logp")[0] == pytest.approx(dpo.gradient("logp")[0])


def test_without_the_column_it_is_asked_for():
    with pytest.raises(PlanError, match="Add a column 'margin' to the data"):
        plan(SR_DPO, {"main": kind("pairs").tensors})

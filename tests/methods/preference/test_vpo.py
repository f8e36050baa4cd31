import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.preference.pair import CHOSEN, on_pair, shifted

pytestmark = pytest.mark.paper("cen2024nef")

VPO, DPO = load("preference/vpo"), load("preference/dpo")


def test_without_pessimism_it_is_dpo():
    plain = on_pair(configure(VPO, {"pessimism.weight": 0.0}))
    assert plain.gradient("logp") == on_pair(DPO).gradient("logp")


def test_it_is_dpo_with_the_likelihood_of_the_preferred_answer():
    """The reference's part is a constant."""
    moved = shifted(CHOSEN, ref_logp=0.3)
    dpo, vpo = (on_pair(m, moved).gradient("logp")[0] for m in (DPO, VPO))
    assert [a - b for a, b in zip(vpo, dpo, strict=True)] == pytest.approx([-0.01] * 5)


def test_pessimism_raises_what_the_data_holds_and_exploration_lowers_it():
    hopeful = configure(VPO, {"pessimism.weight": -0.05})
    slopes = [on_pair(m).gradient("logp")[0][0] for m in (VPO, DPO, hopeful)]
    assert slopes[0] < slopes[1] < slopes[2]

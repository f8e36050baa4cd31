import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.preference.pair import on_pair

F_DPO, DPO = load("preference/f_dpo"), load("preference/dpo")


def test_the_reverse_kl_is_dpo():
    assert on_pair(configure(F_DPO, {"divergence": "reverse_kl"})).metrics == on_pair(DPO).metrics


@pytest.mark.parametrize(("alpha", "name"), [(1.0, "forward_kl"), (1e-9, "reverse_kl")])
def test_alpha_runs_from_the_reverse_to_the_forward_kl(alpha, name):
    one, end = (on_pair(configure(F_DPO, s)) for s in ({"divergence": "alpha", "alpha": alpha}, {"divergence": name}))
    assert one.metrics["loss"] == pytest.approx(end.metrics["loss"], abs=1e-7)

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.harness.numbers import answer
from tests.methods.preference.pair import CHOSEN, REJECTED, on_pair

pytestmark = pytest.mark.paper("000:[66]")

SLIC = load("preference/slic")


def test_beyond_the_margin_a_pair_teaches_exactly_nothing():
    free = configure(SLIC, {"nll.weight": 0.0})
    assert on_pair(free).metrics["loss"] == 0
    assert on_pair(free).gradient("logp") == [[0.0] * 5, [0.0] * 4]
    assert on_pair(free, REJECTED, CHOSEN).gradient("logp") == [[-1.0] * 4, [1.0] * 5]


@pytest.mark.paper("002:GPO")
def test_it_is_the_hinge_of_gpo_against_a_uniform_reference():
    uniform = [answer(logp=a.values["logp"], ref_logp=[0.0] * a.length) for a in (REJECTED, CHOSEN)]
    gpo = on_pair(configure(load("preference/gpo"), {"shape": "hinge", "beta": 1.0}), *uniform)
    assert on_pair(SLIC, REJECTED, CHOSEN).metrics["loss/preference"] == pytest.approx(gpo.metrics["loss"])


def test_no_reference_model_is_loaded():
    assert plan(SLIC).loaded == ("policy",)

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer
from tests.methods.preference.pair import on_pair

pytestmark = pytest.mark.paper("shao20257t5")

D2PO, DPO = load("preference/d2po"), load("preference/dpo")


def test_without_decay_it_is_dpo():
    plain = on_pair(configure(D2PO, {"gamma": 1.0}))
    assert plain.metrics == pytest.approx(on_pair(DPO).metrics, abs=1e-14)


def test_counting_from_one_is_another_beta():
    """The authors' code: the same as beta gamma, which a first token that both models agree on shows."""
    rows = [answer(logp=[-1.0, -2.0], ref_logp=[-1.5, -1.5]), answer(logp=[-3.0], ref_logp=[-2.0])]
    later = [answer(**{n: [-1.0, *v] for n, v in a.values.items()}) for a in rows]
    one = on_pair(configure(D2PO, {"gamma": 0.9, "beta": 0.09}), *rows).metrics["loss"]
    assert on_pair(configure(D2PO, {"gamma": 0.9, "beta": 0.1}), *later).metrics["loss"] == pytest.approx(one)

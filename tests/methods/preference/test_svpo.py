import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

pytestmark = pytest.mark.paper("chen20244ev")

SVPO, DPO = load("preference/svpo"), load("preference/dpo")


def on(values=(0.2, 0.1), targets=(1.0, -0.5), **settings):
    rows = zip((CHOSEN, REJECTED), values, targets, strict=True)
    return on_pair(
        configure(SVPO, settings), *(also(a, value=[7.0] * (a.length - 1) + [v], reward=q) for a, v, q in rows)
    )


def test_values_far_enough_apart_are_only_fitted():
    one = on(values=(1.0, -0.5))
    assert one.metrics["loss/value"] == one.metrics["loss/order"] == 0
    assert one.gradient("value") == [[0.0] * 5, [0.0] * 4]


def test_without_the_values_it_is_dpo_on_steps():
    plain = on(**{"value.weight": 0.0, "order.weight": 0.0})
    assert plain.metrics["loss"] == pytest.approx(on_pair(DPO).metrics["loss"])
    assert plain.gradient("logp") == on_pair(DPO).gradient("logp")

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.kinds import kind
from posttrain.core.plan import plan
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair

pytestmark = pytest.mark.paper("002:Nemotron-4 340B / RPO")

RPO = load("preference/rpo")
VALUES = {"backward": 0.27008239, "forward": 0.35714085, "squared": 3.3856}


def at(gap, **settings):
    return on_pair(configure(RPO, settings), also(CHOSEN, reward=gap / 2), also(REJECTED, reward=-gap / 2))


@pytest.mark.parametrize("distance", VALUES)
def test_it_rests_where_the_gaps_agree(distance):
    one = at(0.16, distance=distance)
    assert one.metrics["loss"] == pytest.approx(0, abs=1e-15)
    assert one.gradient("logp")[0] == pytest.approx([0] * 5, abs=1e-12)
    assert at(0.1, distance=distance).gradient("logp")[0][0] > 0 > at(0.2, distance=distance).gradient("logp")[0][0]


def test_with_an_endless_gap_it_is_dpo():
    endless, dpo = at(1e3), on_pair(load("preference/dpo"))
    assert endless.metrics["loss"] == pytest.approx(dpo.metrics["loss"], abs=1e-12)
    assert endless.gradient("logp")[0] == pytest.approx(dpo.gradient("logp")[0], abs=1e-12)


def test_only_the_difference_of_the_rewards_counts():
    moved = on_pair(RPO, also(CHOSEN, reward=8.0), also(REJECTED, reward=6.0))
    assert moved.metrics["loss"] == pytest.approx(at(2.0).metrics["loss"], abs=1e-14)


def test_rewards_of_the_data_need_no_reward_model():
    assert plan(RPO, {"main": kind("pairs").tensors | {"reward"}}).loaded == ("policy", "reference")
    assert "reward" in plan(RPO).loaded

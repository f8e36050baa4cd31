import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.online.group import group

GNMT, RLOO = load("online/gnmt"), load("online/rloo")
REFERENCES = {"demonstrations": [answer(logp=[-1.0])]}


def test_the_own_reward_in_the_mean_shrinks_the_gradient():
    """Of four samples, 3/4 of leave-one-out remains."""
    centred = step(GNMT, *group(), others=REFERENCES).gradient("logp")
    left_out = step(configure(RLOO, {"kl_weight": 0.0}), *group()).gradient("logp")
    for x, y in zip(centred, left_out, strict=True):
        assert x == pytest.approx([0.75 * g for g in y])


def test_a_constant_added_to_all_rewards_changes_nothing():
    moved = step(GNMT, *group([8.0, 7.0, 7.0, 10.0]), others=REFERENCES)
    assert moved.gradient("logp") == step(GNMT, *group(), others=REFERENCES).gradient("logp")


def test_fifteen_samples_a_source():
    assert GNMT.streams["main"].sampling[0].samples == 15

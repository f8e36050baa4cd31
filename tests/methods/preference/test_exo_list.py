import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.preference.pair import CHOSEN, REJECTED, THIRD, listed, on_pair

pytestmark = pytest.mark.paper("000:[18]")

EXO = load("preference/exo_list")
RATIOS, REWARDS = [1.0, -0.6, 0.4], [0.5, 1.0, -0.25]


def rewarded(rewards=REWARDS, group=0):
    return listed(CHOSEN, REJECTED, THIRD, group=group, reward=rewards)


def test_golden_two_lists_do_not_mix():
    both = step(EXO, *rewarded(), *rewarded([0.0, 0.0, 0.0], group=4)).metrics["loss"]
    alone = [step(EXO, *rewarded(r)).metrics["loss"] for r in (REWARDS, [0.0, 0.0, 0.0])]
    assert both == pytest.approx(sum(alone) / 2)


def test_two_answers_are_the_pair_loss_with_the_probability_as_label():
    share = 0.1
    reward = 0.5 * math.log((1 - share) / share)
    pair = on_pair(configure(load("preference/exo"), {"smoothing": share, "beta": 0.5}))
    assert step(EXO, *listed(CHOSEN, REJECTED, reward=[reward, 0.0])).metrics["loss"] == pytest.approx(
        pair.metrics["loss"], abs=1e-12
    )


def test_it_is_zero_exactly_where_the_implicit_rewards_are_the_rewards():
    one = step(configure(EXO, {"beta": 2.0}), *rewarded([s + 7 for s in RATIOS]))
    assert one.metrics["loss"] == pytest.approx(0, abs=1e-14)
    assert one.gradient("logp")[0] == pytest.approx([0] * 5, abs=1e-14)


def test_a_constant_on_all_rewards_changes_nothing():
    moved = step(EXO, *rewarded([r - 3 for r in REWARDS]))
    assert moved.metrics["loss"] == pytest.approx(step(EXO, *rewarded()).metrics["loss"])

import math

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.preference.pair import CHOSEN, REJECTED, also, on_pair
from tests.methods.preference.test_dpo_list import RATIOS, THIRD

EXO = load("preference/exo_list")
REWARDS = [0.5, 1.0, -0.25]


def listed(rewards=REWARDS, group=0):
    answers = zip((CHOSEN, REJECTED, THIRD), rewards, strict=False)
    return [also(a, rank=i, group=group, reward=r) for i, (a, r) in enumerate(answers)]


def softmax(x):
    total = sum(math.exp(v) for v in x)
    return [math.exp(v) / total for v in x]


def test_golden():
    one = step(configure(EXO, {"reward_scale": 0.25}), *listed())
    q, p = softmax([0.5 * s for s in RATIOS]), softmax([r / 0.25 for r in REWARDS])
    loss = sum(a * math.log(a / b) for a, b in zip(q, p, strict=True))
    assert one.metrics["loss"] == pytest.approx(loss, abs=1e-12)
    for got, a, b in zip(one.gradient("logp"), q, p, strict=True):
        assert got == pytest.approx([0.5 * a * (math.log(a / b) - loss)] * len(got))


def test_golden_two_lists_do_not_mix():
    both = step(EXO, *listed(), *listed([0.0, 0.0, 0.0], group=4)).metrics["loss"]
    alone = [step(EXO, *listed(r)).metrics["loss"] for r in (REWARDS, [0.0, 0.0, 0.0])]
    assert both == pytest.approx(sum(alone) / 2)


def test_two_answers_are_the_pair_loss_with_the_probability_as_label():
    share = 0.1
    reward = [0.5 * math.log((1 - share) / share), 0.0]
    pair = on_pair(configure(load("preference/exo"), {"smoothing": share, "beta": 0.5}))
    assert step(EXO, *listed(reward)[:2]).metrics["loss"] == pytest.approx(pair.metrics["loss"], abs=1e-12)


def test_it_is_zero_exactly_where_the_implicit_rewards_are_the_rewards():
    one = step(configure(EXO, {"beta": 2.0}), *listed([s + 7 for s in RATIOS]))
    assert one.metrics["loss"] == pytest.approx(0, abs=1e-14)
    assert one.gradient("logp")[0] == pytest.approx([0] * 5, abs=1e-14)


def test_a_constant_on_all_rewards_changes_nothing():
    moved = step(EXO, *listed([r - 3 for r in REWARDS]))
    assert moved.metrics["loss"] == pytest.approx(step(EXO, *listed()).metrics["loss"])

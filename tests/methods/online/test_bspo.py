"""BSPO: what the data supports keeps its value, everything else has the lowest."""

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness import generated
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("dai2025ygq")

PPO, BSPO = load("online/ppo"), load("online/bspo")
SAME = {n: [-1.0] * 4 for n in ("logp", "old_logp", "ref_logp", "rollout_logp")}
CRITIC = {n: [0.5, 0.4, 0.3, -0.2] for n in ("value", "old_value")}


def credit(method, behaviour=(-1.0,) * 4, reward=2.0, **settings):
    one = answer(reward=reward, behaviour_logp=list(behaviour), **SAME, **CRITIC)
    made = step(configure(method, settings), one, states={"lowest": {"lowest": -5.0}} if method is BSPO else None)
    return made.value("credit")[0]


def test_where_everything_has_support_it_is_ppo_bit_for_bit():
    """With ε = 0 whatever the data says: metrics and every gradient of four passes."""
    settings = {"gamma": 0.97, "lam": 0.9}
    ppo, bspo = configure(PPO, settings), configure(BSPO, {**settings, "floor": 0.0})
    made = generated.batches(ppo)
    models = [generated.networks(bspo, made) for _ in range(2)]
    (ours, mine, _), (theirs, other, _) = (
        generated.trained(m, made, n, tokens=40) for m, n in zip((bspo, ppo), models, strict=True)
    )
    assert {n: x for n, x in ours.items() if n != "lowest"} == theirs
    for a, b in zip(mine.gradients, other.gradients, strict=True):
        assert all(torch.equal(a[name], b[name]) for name in b)


def test_tokens_behind_one_without_support_keep_their_value():
    assert credit(BSPO, [-1.0, -30.0, -1.0, -1.0])[2:] == credit(PPO)[2:]


def test_nothing_of_what_follows_reaches_a_token_without_support_or_the_tokens_before_it():
    few, many = (credit(BSPO, [-1.0, -30.0, -1.0, -1.0], reward=r) for r in (2.0, 99.0))
    assert few[:2] == many[:2]
    assert few[1] == pytest.approx(-5.0 - 0.4)


def test_the_larger_the_support_that_is_asked_for_the_lower_the_first_value():
    behaviour = [-1.0, -2.0, -4.0, -8.0]
    floors = [0.0, 1e-3, 1e-1, 0.2]  # the last token goes first, then the third, then the second
    first = [credit(BSPO, behaviour, lam=1.0, floor=f)[0] for f in floors]
    assert first == sorted(first, reverse=True)
    assert first[1:] == pytest.approx([-5.5] * 3)
    assert first[0] == pytest.approx(1.5)

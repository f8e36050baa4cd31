"""Macro actions: of one token they are PPO bit for bit, of all tokens a bandit, in between a semi-Markov process."""

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness import generated
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("chai2024qal", "001-text:options")

PPO, MACRO = load("online/ppo"), load("online/ma_rlhf")
REWARDS, VALUES = [0.3, -0.2, 0.1, 0.4, 0.7, -0.1], [0.5, 0.4, 0.3, -0.6, 0.1, 0.9]


def credit(method, values=VALUES, **settings):
    n = len(REWARDS)
    same = {name: [-1.0] * n for name in ("logp", "old_logp", "rollout_logp")}
    refs = {"ref_logp": [r - 1 for r in REWARDS]}
    one = answer(reward=2.0, old_value=values, value=values, **same, **refs)
    return step(configure(method, {"kl_weight": 1.0, **settings}), one).value("credit")[0]


@pytest.mark.parametrize("of", ["token", "macro"])
@pytest.mark.parametrize("weights", ["equal", "first", "last", "position"])
def test_macro_actions_of_one_token_are_ppo_bit_for_bit(of, weights):
    """In float32, at discounts that have no exact number, over four passes: metrics and every gradient."""
    settings = {"gamma": 0.97, "lam": 0.9, "passes": 4}
    ppo, macro = configure(PPO, settings), configure(MACRO, {**settings, "n": 1, "of": of, "weights": weights})
    made = generated.batches(ppo)
    (ours, mine, _), (theirs, other, _) = (
        generated.trained(m, made, generated.networks(ppo, made), tokens=40) for m in (macro, ppo)
    )
    assert ours == theirs
    for a, b in zip(mine.gradients, other.gradients, strict=True):
        assert all(torch.equal(a[name], b[name]) for name in b)


def test_one_macro_action_is_a_bandit():
    """R - V at every token: no discount, no bootstrap."""
    total = sum(REWARDS) + 2.0
    for lam in (0.0, 0.5, 1.0):
        assert credit(MACRO, n=6, lam=lam, weights="first") == pytest.approx([total - 0.5] * 6)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_return_of_a_macro_action_is_the_discounted_return_of_its_first_token(n):
    """λ = 1: the time of a macro action passes token by token, so the return from its state is that of the tokens."""
    gamma, rewards = 0.8, [*REWARDS[:-1], REWARDS[-1] + 2.0]
    returns = [sum(gamma ** (k - t) * rewards[k] for k in range(t, 6)) for t in range(6)]
    firsts = [t - t % n for t in range(6)]
    found = credit(MACRO, n=n, gamma=gamma, lam=1.0, weights="first")
    assert found == pytest.approx([returns[t] - VALUES[t] for t in firsts])


def test_an_exact_critic_leaves_no_advantage():
    """Where nothing is left to chance, δ is 0 for every partition and every λ."""
    gamma, rewards = 0.8, [*REWARDS[:-1], REWARDS[-1] + 2.0]
    exact = [sum(gamma ** (k - t) * rewards[k] for k in range(t, 6)) for t in range(6)]
    for n in (1, 2, 4):
        assert credit(MACRO, exact, n=n, gamma=gamma, lam=0.7, weights="first") == pytest.approx([0] * 6, abs=1e-12)


def test_the_rewards_of_the_macro_actions_add_up():
    """The official code averages them; a sum loses nothing, whatever the partition."""
    for n in (1, 2, 4, 5):
        found = credit(MACRO, [0.0] * 6, n=n, lam=1.0)
        assert found[0] == pytest.approx(sum(REWARDS) + 2.0)

import pytest
import torch

from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from tests.harness.enumerated import Exact, Tabular
from tests.harness.numbers import step
from tests.methods.online.group import group
from tests.methods.online.two_writers import enumerated, plain

pytestmark = pytest.mark.paper("000:[52]")

AGGREVATED, PPO = load("online/aggrevated"), load("online/ppo")


def test_golden_the_critic_is_the_guides():
    mine, ppo = step(AGGREVATED, *group()), step(PPO, *group())
    assert mine.metrics == ppo.metrics
    assert mine.gradient("value") == ppo.gradient("value")
    assert mine.gradient("logp") == ppo.gradient("logp")
    assert plan(AGGREVATED).trained == ("guide_critic", "policy")


def test_it_is_ppo_but_for_who_finishes():
    (sampling,) = AGGREVATED.streams["main"].sampling
    assert (sampling.guide.writes, sampling.guide.by, sampling.guide.train) == ("end", (("guide", 1.0),), False)
    assert (AGGREVATED.loss, AGGREVATED.derived, AGGREVATED.passes) == (PPO.loss, PPO.derived, PPO.passes)


def test_the_gradient_is_that_of_the_reward_once_the_guide_takes_over():
    """d/dπ of the mean over cuts of E[R], where the guide finishes: one step of improvement over the guide."""
    policy, guide, critic = Tabular(seed=1, ends=False), Tabular(seed=2, ends=False), Tabular(seed=3, ends=False)
    critic.values.data = torch.randn(len(critic.values), generator=torch.Generator().manual_seed(5))
    reward = torch.randn(len(policy.answers), generator=torch.Generator().manual_seed(4))
    batch, weights, value = enumerated(policy, guide, reward, guide_begins=False)
    models = {"policy": policy, "reference": guide, "guide_critic": critic, "guide": guide}
    got = Exact(plain(AGGREVATED), models, {"main": batch}).step({"main": batch}, weights)
    exact = torch.autograd.grad(value, policy.logits)[0]
    assert exact.norm() > 0.1
    assert torch.allclose(got, -exact, atol=1e-12)
    last = [i for i, prefix in enumerate(policy.prefixes) if len(prefix) == policy.length - 1]
    assert (got[last] == 0).all()  # nobody but the guide writes the last token

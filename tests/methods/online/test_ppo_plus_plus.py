import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.plan import plan
from posttrain.formulas.guides import random_cut
from posttrain.training.trainer import Trainer
from tests.harness.enumerated import Exact, Tabular
from tests.harness.recorder import Recorder
from tests.methods.online.two_writers import drawn, enumerated, plain

pytestmark = pytest.mark.paper("000:[52]")

PLUS, PPO = load("online/ppo_plus_plus"), load("online/ppo")
LOCK = (3, 1, 2, 0)


def test_golden_cut():
    """β = 0.8: of ten chances eight have a guide, and its part of five tokens has 1 to 4, two chances each."""
    cuts = [random_cut(5, (i + 0.5) / 10, share=0.8) for i in range(10)]
    assert cuts == [1, 1, 2, 2, 3, 3, 4, 4, None, None]
    assert [random_cut(n, 0.0, share=1.0) for n in (1, 2, 3)] == [None, 1, 1]
    assert [random_cut(n, 1 - 2**-53, share=1.0) for n in (1, 2, 3)] == [None, 1, 2]
    assert random_cut(9, 0.8, share=0.8) is None
    assert random_cut(9, 0.0, share=0.0) is None


def test_it_is_ppo_but_for_who_begins():
    (sampling,) = PLUS.streams["main"].sampling
    assert (sampling.guide.writes, sampling.guide.by, sampling.guide.train) == ("beginning", (("guide", 1.0),), False)
    assert (PLUS.loss, PLUS.derived, PLUS.metrics, PLUS.passes) == (PPO.loss, PPO.derived, PPO.metrics, PPO.passes)
    assert set(plan(PLUS).loaded) - set(plan(PPO).loaded) == {"guide"}
    assert plan(PLUS).trained == plan(PPO).trained
    assert configure(PLUS, {"share": 0.3}).cuts[0].settings == (("share", 0.3),)


def test_the_gradient_is_that_of_the_reward_of_what_the_policy_adds():
    """d/dπ of the mean over cuts of E[R], where the guide begins; the guide's own tokens have none."""
    policy, guide, critic = Tabular(seed=1, ends=False), Tabular(seed=2, ends=False), Tabular(seed=3, ends=False)
    critic.values.data = torch.randn(len(critic.values), generator=torch.Generator().manual_seed(5))
    reward = torch.randn(len(policy.answers), generator=torch.Generator().manual_seed(4))
    batch, weights, value = enumerated(policy, guide, reward, guide_begins=True)
    models = {"policy": policy, "reference": guide, "critic": critic, "guide": guide}
    got = Exact(plain(PLUS), models, {"main": batch}).step({"main": batch}, weights)
    exact = torch.autograd.grad(value, policy.logits)[0]
    assert exact.norm() > 0.1
    assert torch.allclose(got, -exact, atol=1e-12)
    assert (got[0] == 0).all()  # nobody but the guide writes the first token


def opened(method, share):
    """How probable the only answer that pays has become: at first 3e-6, and 6% for the guide."""
    torch.set_default_dtype(torch.float32)
    policy, guide, critic = (Tabular(4, 4, ends=False) for _ in range(3))
    for t, right in enumerate(LOCK):
        policy.logits.data[policy.place[LOCK[:t]], right] = -2.0
        guide.logits.data[guide.place[LOCK[:t]], right] = 1.1
    models = {"policy": policy, "critic": critic, "reference": guide, "guide": guide}
    arrives = set(drawn(policy, guide, LOCK, 1, 0, share))
    planned = plan(configure(method, {"kl_weight": 0.0, "passes": 1}), {"main": arrives})
    learner = Recorder(models, tokens_per_device=10**6)
    trainer = Trainer(planned, learner, rates=lambda _: {"policy": 0.2, "critic": 0.02})
    for step in range(60):
        trainer.train({"main": drawn(policy, guide, LOCK, 256, step, share)})
        if (chance := float(policy.distribution()[policy.answers.index(LOCK)])) > 0.9:
            break
    return chance


def test_a_guide_that_rarely_opens_a_combination_lock_teaches_what_ppo_never_learns():
    assert opened(PLUS, share=0.8) > 0.9
    assert opened(PPO, share=0.0) < 1e-4

"""RTO: the rewards of the tokens are DPO's implicit reward, and their optimum is the model that DPO trained."""

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import SEQUENCE_SUM, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import add_value, gae
from posttrain.formulas.losses.policy_gradient import surrogate, token_ratio
from tests.harness.enumerated import Exact, Tabular, batch, every_group, kl_optimum
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("zhong2024wch")

PPO, RTO = load("online/ppo"), load("online/rto")
SAME = {n: [-1.0] * 3 for n in ("logp", "old_logp", "rollout_logp")} | {"ref_logp": [-1.3, -0.9, -1.1]}
CRITIC = {"old_value": [0.5, 0.4, 0.3], "value": [0.5, 0.4, 0.3]}
DPO = {"dpo_logp": [-0.4, -3.0, -1.2]}


def unclipped(method):
    """The same rewards with plain policy gradients, whose expectation is that of the return."""
    derived = {
        "token_reward": method.derived["token_reward"],
        "advantage": part(gae, lam=1.0),
        "returns": part(add_value, credit="advantage"),
    }
    loss = {"policy": Term(part(surrogate, ratio=token_ratio), reduce=SEQUENCE_SUM)}
    return variant(method, derived=derived, loss=loss, metrics={}, passes=1)


def expected_gradient(method, models, **columns):
    groups = every_group(models["policy"], 1)
    made = batch(models["policy"], groups, **columns)
    method = variant(method, derived={n: d for n, d in method.derived.items() if n != "returns"})
    return Exact(method, models, {"main": made}).step({"main": made}, models["policy"].distribution())


def test_the_rewards_of_the_tokens_add_up_to_the_implicit_reward_of_dpo():
    method = configure(RTO, {"scale": 0.7, "bound": 99.0, "kl_weight": 0.0})
    made = step(method, answer(reward=2.0, **SAME, **CRITIC, **DPO)).value("token_reward")[0]
    ratio = sum(DPO["dpo_logp"]) - sum(SAME["ref_logp"])
    assert sum(made) == pytest.approx(2.0 + 0.7 * ratio, abs=1e-12)


def test_without_the_token_rewards_it_is_ppo():
    method = configure(RTO, {"scale": 0.0, "kl_weight": 0.05})
    one, ppo = (step(m, answer(reward=2.0, **SAME, **CRITIC, **DPO)) for m in (method, PPO))
    assert one.value("advantage") == ppo.value("advantage")
    assert one.metrics == ppo.metrics


@pytest.mark.parametrize("rewarded", [False, True])
def test_the_gradient_leads_to_what_dpo_learned(rewarded):
    """Exactly that of -β KL(π || π*), where π* is π_dpo, tilted by the reward of the answers if there is one."""
    models = {"policy": Tabular(seed=1), "reference": Tabular(seed=2), "dpo": Tabular(seed=3), "critic": Tabular()}
    policy, beta = models["policy"], 0.3
    reward = torch.randn(len(policy.answers), generator=torch.Generator().manual_seed(4)) * rewarded
    method = unclipped(configure(RTO, {"scale": beta, "bound": 99.0, "kl_weight": beta}))
    found = expected_gradient(method, models, reward=reward)
    best, logp = kl_optimum(models["dpo"].distribution(), reward, beta), policy.logp()
    distance = (logp.exp() * (logp - best.log())).sum()
    exact = torch.autograd.grad(beta * distance, policy.logits)[0]
    assert float(exact.norm()) > 1e-3
    assert float((found - exact).norm()) <= 1e-10 * float(exact.norm())

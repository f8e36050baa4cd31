import math

import pytest
import torch

from posttrain.catalogue.index import load
from posttrain.core.method import variant
from posttrain.core.plan import plan
from posttrain.core.weights import Average
from posttrain.formulas.losses.policy_gradient import all_actions
from posttrain.formulas.losses.values import expected_value, spread_of_values
from tests.harness.enumerated import Exact, Tabular, batch, every_group

pytestmark = pytest.mark.paper("001-text:Actor-critic seq")

ACTOR_CRITIC = load("online/actor_critic")
ACTOR = variant(
    ACTOR_CRITIC, loss={"policy": ACTOR_CRITIC.loss["policy"]}, averages={}, metrics={},
    streams={"main": load("online/reinforce").streams["main"]},
)  # fmt: skip
LOGITS = torch.tensor([[math.log(0.5), math.log(0.3), math.log(0.2)]])
Q = torch.tensor([[1.0, 2.0, -1.0]])


def test_golden_all_actions():
    """The value is 0.5 + 0.6 - 0.2 = 0.9; its slope at a logit is π (Q - 0.9)."""
    logits, q = LOGITS.clone().requires_grad_(), Q.clone().requires_grad_()
    assert expected_value(LOGITS, Q).tolist() == pytest.approx([0.9])
    loss = all_actions(logits, q)
    assert loss.tolist() == pytest.approx([-0.9])
    loss.sum().backward()
    assert logits.grad[0].tolist() == pytest.approx([-0.5 * 0.1, -0.3 * 1.1, 0.2 * 1.9])
    assert q.grad is None


def test_golden_spread():
    assert spread_of_values(torch.tensor([[1.0, 2.0, 6.0], [5.0, 5.0, 5.0]])).tolist() == pytest.approx([14, 0])


def test_with_the_exact_critic_one_answer_from_each_place_has_the_exact_gradient():
    """No noise of the action: rows count by the probability of their prefix alone, and the gradient is that of E[R]."""
    model, critic = Tabular(seed=1, ends=False), Tabular(seed=2, ends=False)
    reward = torch.randn(len(model.answers), generator=torch.Generator().manual_seed(3))
    critic.logits.data = exact_values(model, reward)
    made = batch(model, every_group(model, 1), reward=reward)
    models = {"policy": model, "q": Raw(critic), "target_policy": model, "target_q": critic}
    got = Exact(ACTOR, models, {"main": made}).step({"main": made}, model.distribution())
    exact = torch.autograd.grad((model.logp().exp() * reward).sum(), model.logits)[0]
    assert exact.norm() > 0.1
    assert torch.allclose(got, -exact, atol=1e-12)


class Raw(torch.nn.Module):
    """A table whose logits are not normalised."""

    def __init__(self, table):
        super().__init__()
        self.table, self.weights = table, None

    def outputs(self, tokens, rows, names, *, written=None, temperature=1.0):
        prefix, _ = self.table._prefixes(tokens, rows)
        return {"logits": self.table.logits[prefix]}


def exact_values(model, reward):
    """Q(s, a) = E[R] of the answers that begin with s and a."""
    chance, q = model.distribution(), torch.zeros_like(model.logits.data)
    for prefix, place in model.place.items():
        for token in range(model.vocabulary):
            mine = [i for i, y in enumerate(model.answers) if y[: len(prefix) + 1] == (*prefix, token)]
            q[place, token] = (chance[mine] * reward[mine]).sum() / chance[mine].sum()
    return q


def test_the_delayed_two_write_and_judge():
    assert ACTOR_CRITIC.streams["main"].sampling[0].mix == (("target_policy", 1.0),)
    assert dict(ACTOR_CRITIC.averages) == {"target_policy": Average("policy", 0.999), "target_q": Average("q", 0.999)}
    assert plan(ACTOR_CRITIC).trained == ("policy", "q")
    bound = dict(ACTOR_CRITIC.loss["critic"].part.binds)
    assert bound["token_reward"] == "dense_reward"
    assert dict(bound["value"].binds) == {"logits": "target_logits", "q": "target_q"}

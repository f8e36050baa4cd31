"""Critics that learn alone at first: the policy keeps its bits, and its schedule waits."""

from types import SimpleNamespace

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.config import load as read
from posttrain.core.plan import plan
from posttrain.errors import ConfigError
from posttrain.training.critic_warmup import waiting_steps
from posttrain.training.schedule import Rates
from posttrain.training.trainer import Trainer
from tests.harness import generated
from tests.harness.recorder import Recorder
from tests.harness.runs import SHORT, SUMS, metrics, run

pytestmark = pytest.mark.paper("zheng2023c98")

PPO, SFT, RM = load("online/ppo"), load("imitation/sft"), load("reward/bradley_terry")
CONTENT = {
    "model": "tiny",
    "method": {"path": "online/ppo", "passes": 1},
    "data": f"{SUMS},size=8",
    "rewards": ["exact_match"],
}


def test_the_schedule_of_the_policy_waits_and_that_of_the_critic_does_not():
    rates = Rates(1.0, ("critic", "policy"), 10, "linear", warmup=2, wait=4)
    assert [rates(step)["policy"] for step in range(6)] == [0, 0, 0, 0, 0.5, 1.0]
    assert rates(9)["policy"] == pytest.approx(1 / 4)
    assert [rates(step)["critic"] for step in range(3)] == [0.5, 1.0, 1.0]


def weights(learner, role):
    return torch.cat([p.detach().flatten().clone() for p in learner.models[role].parameters()])


def test_a_rate_of_zero_leaves_weights_and_moments_as_they_are():
    method = configure(PPO, {"passes": 1})
    made = generated.batches(method)
    learner = Recorder(generated.networks(method, made))
    rates = Rates(0.1, ("critic", "policy"), 9, wait=2)
    trainer = Trainer(plan(method, {s: set(b) for s, b in made.items()}), learner, rates=rates)
    policy, critic = weights(learner, "policy"), weights(learner, "critic")
    for _ in range(2):
        trainer.train(made)
    assert torch.equal(weights(learner, "policy"), policy)
    assert learner.state()["optimisers"]["policy"]["steps"][0] == 0
    assert not torch.equal(weights(learner, "critic"), critic)
    trainer.train(made)
    assert not torch.equal(weights(learner, "policy"), policy)


def test_a_run_reports_that_the_policy_waits_and_how_much_the_critic_explains(tmp_path):
    settings = [f"{k}={v}" for k, v in SHORT.items()]
    rows = metrics(run(CONTENT, tmp_path, *settings, "train.steps=2", "train.critic_warmup=1"))
    assert [row["learning_rate"] for row in rows] == [0.0, 1e-3]
    assert "value/explained_var" in rows[0]


def waiting(method, steps=5, total=9, procedure=None, **models):
    warnings = []
    file = read({**CONTENT, "models": models, "train": {"critic_warmup": steps}})
    stage = SimpleNamespace(models=file.models, procedure=procedure)
    asked = SimpleNamespace(file=stage, warn=lambda *said: warnings.append(said))
    return waiting_steps(asked, method, plan(method), file.train, total), warnings


def test_it_waits_where_a_critic_learns():
    assert waiting(PPO) == (5, [])
    assert waiting(PPO, steps=0, total=0) == (0, [])
    assert waiting(SFT, steps=0) == (0, [])


@pytest.mark.parametrize("method", [SFT, RM])
def test_a_stage_without_a_critic_is_an_error_and_in_a_procedure_a_warning(method):
    with pytest.raises(ConfigError, match=f"{method.name} trains (policy|reward) alone; set it to 0"):
        waiting(method)
    assert waiting(SFT, procedure="instructgpt")[0] == 0
    assert "has no critic" in waiting(SFT, procedure="instructgpt")[1][0][1]


def test_a_critic_that_is_a_head_of_the_policy_cannot_learn_alone():
    with pytest.raises(ConfigError, match="the critic is a head of the policy"):
        waiting(PPO, critic="policy")


def test_a_policy_that_would_never_learn_is_an_error():
    assert waiting(PPO, total=6)[0] == 5
    with pytest.raises(ConfigError, match="there are 5 steps, so the policy would never learn"):
        waiting(PPO, total=5)

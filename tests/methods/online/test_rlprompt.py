"""The writer of prompts: where it ends, and what must not matter."""

from __future__ import annotations

import pytest
import torch

from posttrain.catalogue.index import load
from posttrain.core.method import variant
from posttrain.core.parts import PerRow
from posttrain.core.plan import plan
from posttrain.core.rows import Rows
from posttrain.core.weights import Average
from posttrain.formulas.losses.soft_q import scaled_standardise, soft_multi_step, soft_one_step
from tests.harness.enumerated import Exact, Tabular, batch, every_group, variation

pytestmark = pytest.mark.paper("002:RLPROMPT")

RLPROMPT = load("online/rlprompt")
REWARD = torch.tensor([0.3, -0.5, 1.0, 0.0, 0.6, -1.0, 0.9])
FORWARD = ("one_step", "multi_step")


class Soft(Tabular):
    """A table whose logits are Q, so that it has a soft value of every prefix."""

    def outputs(self, tokens, rows, names, *, written=None, temperature=1.0):
        prefix, owner = self._prefixes(tokens, rows)
        known = [n for n in names if n != "log_partition"]
        made = super().outputs(tokens, rows, known, written=written, temperature=temperature)
        if len(known) < len(names):
            made["log_partition"] = self._weighted(self.logits.logsumexp(-1)[prefix], owner)
        return made


def as_it_is(reward: PerRow) -> PerRow:
    return reward


def trained(policy, reward, steps, *, reversed_too=True):
    """Train on every prompt, as often as the writer gives it."""
    loss = {n: t for n, t in RLPROMPT.loss.items() if reversed_too or n in FORWARD}
    fields = {n: f for n, f in RLPROMPT.fields.items() if reversed_too or n == "target_level"}
    averages = {"target": Average("policy", 0.5)}
    method = variant(
        RLPROMPT, loss=loss, fields=fields, derived={"scaled_reward": as_it_is}, averages=averages, metrics={}
    )
    groups = every_group(policy, 1)
    made = batch(policy, groups, reward=reward)
    run = Exact(method, {"policy": policy}, {"main": made}, 0.1)
    for _ in range(steps):
        run.step({"main": made}, policy.distribution())
    return policy.distribution()


def test_it_ends_at_the_softmax_of_the_rewards():
    """With prompts of one and of two tokens: π(prompt) = exp(R) / Z, and V of nothing is log Z."""
    policy = Soft(3, 2, seed=5)
    assert variation(policy.distribution(), REWARD.softmax(0)) > 0.3
    assert variation(trained(policy, REWARD, 150), REWARD.softmax(0)) < 0.003
    assert float(policy.logits[0].detach().logsumexp(0)) == pytest.approx(float(REWARD.logsumexp(0)), abs=0.02)


def test_a_bandit_ends_there_without_the_reversed_half_whatever_its_values_are():
    rewards = torch.tensor([1.0, 0.0, -0.5, 0.3])
    policy = Soft(4, 1, ends=False)
    policy.logits.data += 7
    assert variation(trained(policy, rewards, 80, reversed_too=False), rewards.softmax(0)) < 0.002


LOGP, LEVEL = torch.tensor([9.0, -1.0, -2.0]), torch.tensor([9.0, 3.0, 1.0])


def errors(level=LEVEL, reward=0.5):
    rows = Rows(torch.zeros(3, dtype=torch.long), torch.tensor([False, True, True]), 1)
    return [f(LOGP, level, torch.tensor([reward]), rows)[1:].tolist() for f in (soft_one_step, soft_multi_step)]


def test_a_constant_in_all_values_is_one_in_the_reward_alone():
    """One step: only the last token sees it. Several: every token does."""
    for shifted, same in zip(errors(LEVEL + 2, 2.5), errors(), strict=True):
        assert shifted == pytest.approx(same)
    one, several = errors(LEVEL + 2)
    assert one[0] == pytest.approx(errors()[0][0])
    assert one[1] != pytest.approx(errors()[0][1])
    assert several[0] != pytest.approx(errors()[1][0])


def test_the_advantages_of_a_consistent_writer_add_up_to_the_reward_less_the_value():
    """A_1 = V_2 - V_1 and A_2 = R - V_2: both losses are 0, and Σ A = R - V_1."""
    rows = Rows(torch.zeros(3, dtype=torch.long), torch.tensor([False, True, True]), 1)
    reward, level = torch.tensor([-1.0]), torch.tensor([9.0, 3.0, 1.0])
    logp = torch.tensor([9.0, 1.0 - 3.0, -1.0 - 1.0])
    for part in (soft_one_step, soft_multi_step):
        assert part(logp, level, reward, rows)[1:].tolist() == pytest.approx([0, 0])


def test_what_all_prompts_for_an_example_earn_does_not_matter():
    rows = Rows(torch.arange(4), torch.ones(4, dtype=torch.bool), 4)
    group, reward = torch.tensor([0, 0, 1, 1]), torch.tensor([1.0, 3.0, 60.0, -54.0])
    made = scaled_standardise(reward, group, rows)
    assert made.tolist() == pytest.approx([-5, 5, 5, -5], rel=1e-3)
    assert scaled_standardise(reward + torch.tensor([7.0, 7.0, 0.0, 0.0]), group, rows).tolist() == pytest.approx(
        made.tolist()
    )
    assert scaled_standardise(torch.ones(4), group, rows).tolist() == [0, 0, 0, 0]


def test_the_moving_average_judges_and_the_writer_learns():
    assert dict(RLPROMPT.averages) == {"target": Average("policy", 0.999)}
    assert plan(RLPROMPT).trained == ("policy",)
    read = {n: (dict(t.part.binds)["level"], dict(t.part.binds)["logp"]) for n, t in RLPROMPT.loss.items()}
    assert read["one_step"] == read["multi_step"] == ("target_level", "logp")
    assert read["values_one_step"] == read["values_multi_step"] == ("level", "target_logp")

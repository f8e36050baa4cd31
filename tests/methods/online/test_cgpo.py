"""CGPO's three optimisers: what violates a constraint never becomes more likely."""

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.golden.constraints import reference, sampled

pytestmark = pytest.mark.paper("xu20242yo")


def many(name, seed):
    """Five prompts with four answers each of random rewards, costs and log-ratios, and one of the reference."""
    draw = torch.Generator().manual_seed(seed)
    rewards, costs, ratios = torch.randn(3, 5, 5, generator=draw, dtype=torch.float64).tolist()
    answers = [
        sampled(rewards[p][k], costs[p][k], ratios[p][k], prompt=p, author=int(k == 4), train=k < 4 or name == "crraft")
        for p in range(5)
        for k in range(4 if name == "codpo" else 5)
    ]
    return answers, [a.values["cost"] > 0 for a in answers]


@pytest.mark.parametrize("name", ["crpg", "crraft", "codpo"])
def test_no_answer_that_violates_a_constraint_gets_positive_weight(name):
    for seed in range(3):
        answers, violates = many(name, seed)
        gradient = [g[0] for g in step(load(f"online/{name}"), *answers).gradient("logp")]
        assert all(g >= 0 for g, v in zip(gradient, violates, strict=True) if v)
        assert any(g < 0 for g, v in zip(gradient, violates, strict=True) if not v)


def test_without_judges_and_cap_it_is_reinforce_on_the_probability_of_beating_the_reference():
    crpg = configure(load("online/crpg"), {"kl_max": float("inf")})
    rewards = (0.3, 1.0, -2.0)
    one = step(crpg, *(sampled(r, kl=k) for k, r in enumerate(rewards)), reference(0.5))
    shaped = [1 / (1 + 2.718281828459045 ** -(r - 0.5)) for r in rewards]
    mean = sum(shaped) / 3
    assert [a[0] for a in one.value("advantage")[:3]] == pytest.approx([s - mean for s in shaped])


def test_without_objections_it_is_online_dpo_and_a_likelihood():
    answers = [sampled(r, kl=r) for r in (0.3, 1.0, -2.0)]
    codpo = step(configure(load("online/codpo"), {"likelihood.weight": 0.0}), *answers)
    online_dpo = step(load("online/online_dpo"), *answers)
    assert codpo.metrics["loss"] == online_dpo.metrics["loss"]
    assert codpo.gradient("logp") == online_dpo.gradient("logp")


def test_a_verdict_that_turns_takes_the_reward_away():
    other = [sampled(0.0), reference(0.0)]
    fine, bad = (step(load("online/crpg"), sampled(2.0, cost), *other).value("worth")[0] for cost in (0.0, 0.1))
    assert (fine, bad) == (pytest.approx(0.880797, abs=1e-6), 0)

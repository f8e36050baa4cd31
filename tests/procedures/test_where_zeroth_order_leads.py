"""Where procedures without gradients lead on problems whose optimum is known."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from posttrain.backends.local.direction import drawn
from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.protocol import Direction
from posttrain.procedures.zeroth_order.zo_ranksgd import zo_ranksgd
from posttrain.procedures.zeroth_order.zpg import zpg
from posttrain.records import Episode, Prompt
from posttrain.training.run import Run
from posttrain.training.session import Session
from tests.data.rollouts import said


class Bandit(nn.Module):
    """A softmax over arms."""

    def __init__(self, arms: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(arms))

    def distribution(self) -> torch.Tensor:
        return self.logits.detach().softmax(-1)


WORTH = torch.tensor([0.2, -0.4, 1.0, 0.1])


@pytest.mark.paper("zhang2024w99")
@pytest.mark.parametrize("shape", ["normal", "sphere", 2])
def test_finite_differences_are_the_gradient_on_average(shape):
    """E[(V(θ + μv) - V(θ))/μ v] is π (r - V) as μ → 0, at whatever θ."""
    theta, mu = torch.tensor([0.5, -0.2, 0.1, 0.0]), 1e-3
    value = lambda x: float((x.softmax(-1) * WORTH).sum())  # noqa: E731
    parameters = {"logits": nn.Parameter(theta.clone())}
    made = torch.zeros(4)
    for seed in range(6000):
        (v,) = drawn(parameters, Direction(seed, shape))
        made += (value(theta + mu * v.double()) - value(theta)) / mu * v / 6000
    exact = theta.softmax(-1) * (WORTH - value(theta))
    assert made.tolist() == pytest.approx(exact.tolist(), abs=0.015)


class OnBandit(Session):
    """A session whose models are bandits: it answers with every arm, in numbers as its distribution says."""

    def __init__(self, judge=None, arms: int = 4) -> None:
        train = SimpleNamespace(log_every=1, save_every=None, keep_every=None, save_minutes=0)
        learner = LocalLearner({"policy": Bandit(arms)})
        sampling = SimpleNamespace(stop=(), begin="")
        file = SimpleNamespace(
            seed=1, train=train, given={}, sampling=sampling, environment=None, evaluate=None, base=None
        )
        super().__init__(Run(file, learner, None, SimpleNamespace(tokenizer=None)))
        self.judge = judge

    def sampling(self, mix=(("policy", 1.0),)):
        return mix[0][0]

    def policy(self) -> Bandit:
        return self.run.learner.models["policy"]

    def collect(self, _, __, *roles) -> list[Episode]:
        distributions = [self.run.learner.models[r].distribution() for r in roles]
        if len(distributions) == 1:
            return [said(0, "all", self.judge(float((distributions[0] * WORTH).sum())))]
        answers = []
        for k in range(64):  # arms at 64 quantiles; both of a pair at the same one
            arms = [int(torch.searchsorted(p.cumsum(0), (k + 0.5) / 64).clamp(max=3)) for p in distributions]
            odds = float((WORTH[arms[0]] - WORTH[arms[1]]).sigmoid())
            answers += [said(k, "a", odds, author=0), said(k, "b", 1 - odds, author=1)]
        return answers


PROMPTS = [Prompt(0, "which arm?")]


@pytest.mark.paper("zhang2024w99")
@pytest.mark.parametrize("coordinates", [None, 2])
def test_zpg_finds_the_best_arm_from_preferences(coordinates):
    session = OnBandit()
    zpg(session, PROMPTS, rounds=150, smoothing=0.3, rate=0.5, coordinates=coordinates)
    assert float(session.policy().distribution()[2]) > 0.85
    assert session.run.journal.steps == 150


def test_zo_ranksgd_finds_the_best_arm_by_the_same_path_whatever_the_scale():
    ends = []
    for judge in (lambda x: x, lambda x: math.exp(9 * x), lambda x: -x):
        session = OnBandit(judge)
        zo_ranksgd(session, PROMPTS, rounds=60, smoothing=0.3, rate=0.1)
        ends.append(session.policy().distribution())
    assert float(ends[0][2]) > 0.9
    assert torch.equal(ends[0], ends[1])
    assert float(ends[2][1]) > 0.9  # the worst arm, where less is better


@pytest.mark.paper("tang2023lop")
def test_zo_ranksgd_goes_down_a_quadratic():
    """|θ - 1|² in twenty dimensions, from comparisons only."""
    session = OnBandit(arms=20)

    def collect(_, __, role):
        return [said(0, "all", -float((session.run.learner.models[role].logits.detach() - 1).square().sum()))]

    session.collect = collect
    zo_ranksgd(session, PROMPTS, rounds=300, smoothing=0.01, rate=0.05, directions=8, ranked=3)
    assert float((session.policy().logits.detach() - 1).square().sum()) < 1.0

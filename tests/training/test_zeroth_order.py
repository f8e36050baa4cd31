"""Formulas and procedures without gradients: golden numbers, identities, and where they lead on small problems."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from posttrain.backends.local.backend import Local
from posttrain.backends.local.direction import drawn
from posttrain.backends.protocol import Direction
from posttrain.procedures.zeroth_order.zo_ranksgd import zo_ranksgd
from posttrain.procedures.zeroth_order.zpg import zpg
from posttrain.records import Prompt, Rollout
from posttrain.training.zeroth_order import rank_weights, value_difference
from tests.data.rollouts import said

# ---- ranks


def test_golden_weights_of_eight_of_which_three_are_ranked():
    """7, 5, 3 for the ranked, -3 for the others, over 3 + 15 comparisons."""
    weights = rank_weights([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.0, 0.4], 3)
    assert [w * 18 for w in weights] == pytest.approx([-3, 7, -3, 5, -3, 3, -3, -3])


@pytest.mark.parametrize(("m", "k"), [(2, 1), (5, 2), (6, 6), (9, 3), (1, 1)])
def test_the_weights_of_ranks_are_sums_over_the_comparisons(m, k):
    earned = [math.sin(3.7 * i) for i in range(m)]
    order = sorted(range(m), key=lambda i: -earned[i])
    edges = [(order[a], order[b]) for a in range(min(k, m)) for b in range(a + 1, m)]
    wanted = [sum((i == a) - (i == b) for a, b in edges) / max(len(edges), 1) for i in range(m)]
    assert rank_weights(earned, k) == pytest.approx(wanted)
    assert sum(rank_weights(earned, k)) == pytest.approx(0)


def test_only_the_order_counts():
    earned = [0.3, -1.0, 2.0, 0.5]
    assert rank_weights(earned, 2) == rank_weights([math.exp(7 * x) for x in earned], 2)


def test_two_directions_compare_signs():
    assert rank_weights([0.2, 0.7], 1) == [-1, 1]


# ---- preferences


def judged(*rewards: float | None) -> list[Rollout]:
    return [said(0, "a", r, author=i % 2) for i, r in enumerate(rewards)]


def test_golden_the_log_odds_of_both_sides_count():
    """0.8 of the people prefer the moved policy's answer, 0.4 the policy's own."""
    wanted = (math.log(4) - math.log(2 / 3)) / 2
    assert value_difference(judged(0.8, 0.4), 0.01) == pytest.approx(wanted)
    assert value_difference(judged(0.4, 0.8), 0.01) == pytest.approx(-wanted)


def test_a_judge_that_favours_what_it_reads_first_does_no_harm():
    assert value_difference(judged(0.9, 0.9), 0.01) == pytest.approx(0)


def test_unanimous_votes_are_finite():
    assert value_difference(judged(1.0, 0.0), 0.05) == pytest.approx(math.log(19))
    assert value_difference(judged(None, None), 0.05) == 0


# ---- where they lead


class Bandit(nn.Module):
    """A softmax over arms."""

    def __init__(self, arms: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(arms))

    def law(self) -> torch.Tensor:
        return self.logits.detach().softmax(-1)


WORTH = torch.tensor([0.2, -0.4, 1.0, 0.1])


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


class OnBandit:
    """A session whose models are bandits: it answers with every arm, in numbers as its law says."""

    directory = None

    def __init__(self, judge=None) -> None:
        self.backend, self.judge, self.steps = Local({"policy": Bandit(4)}), judge, 0
        self.run = type("Run", (), {"seed": 1, "train": type("Train", (), {"log_every": 1, "save_every": None})})
        self.display = type("Display", (), {"start": lambda *_: None, "step": lambda *_: None})()
        self.journal = type("Journal", (), {"finished": [], "done": lambda *_: False, "steps": 0, "saved": None})()

    def how(self, mix=(("policy", 1.0),)):
        return mix[0][0]

    def boundary(self, *_, **__) -> None:
        self.steps += 1

    def collect(self, _, __, *roles) -> list[Rollout]:
        laws = [self.backend.models[r].law() for r in roles]
        if len(laws) == 1:
            return [said(0, "all", self.judge(float((laws[0] * WORTH).sum())))]
        answers = []
        for k in range(64):  # arms at 64 quantiles; both of a pair at the same one
            arms = [int(torch.searchsorted(p.cumsum(0), (k + 0.5) / 64).clamp(max=3)) for p in laws]
            odds = float((WORTH[arms[0]] - WORTH[arms[1]]).sigmoid())
            answers += [said(k, "a", odds, author=0), said(k, "b", 1 - odds, author=1)]
        return answers


PROMPTS = [Prompt(0, "which arm?")]


@pytest.mark.parametrize("coordinates", [None, 2])
def test_zpg_finds_the_best_arm_from_preferences(coordinates):
    session = OnBandit()
    zpg(session, PROMPTS, rounds=150, smoothing=0.3, rate=0.5, coordinates=coordinates)
    assert float(session.backend.models["policy"].law()[2]) > 0.85
    assert session.steps == 150


def test_zo_ranksgd_finds_the_best_arm_by_the_same_path_whatever_the_scale():
    ends = []
    for judge in (lambda x: x, lambda x: math.exp(9 * x), lambda x: -x):
        session = OnBandit(judge)
        zo_ranksgd(session, PROMPTS, rounds=60, smoothing=0.3, rate=0.1)
        ends.append(session.backend.models["policy"].law())
    assert float(ends[0][2]) > 0.9
    assert torch.equal(ends[0], ends[1])
    assert float(ends[2][1]) > 0.9  # the worst arm, where less is better


def test_zo_ranksgd_goes_down_a_quadratic():
    """|θ - 1|² in twenty dimensions, from comparisons only."""
    session = OnBandit()
    session.backend = Local({"policy": Bandit(20)})

    def collect(_, __, role):
        return [said(0, "all", -float((session.backend.models[role].logits.detach() - 1).square().sum()))]

    session.collect = collect
    zo_ranksgd(session, PROMPTS, rounds=300, smoothing=0.01, rate=0.05, directions=8, ranked=3)
    assert float((session.backend.models["policy"].logits.detach() - 1).square().sum()) < 1.0

"""KL-UCB's regret on a table, and both bandit procedures on the embedded model."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from statistics import fmean

import pytest
import torch

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.procedures.active.kl_ucb import kl_ucb
from posttrain.records import Episode, Prompt
from tests.data.rollouts import said
from tests.harness.enumerated import kl_optimum
from tests.harness.runs import run
from tests.procedures.running import BRIEF, collected, content, mean_reward

PROMPTS = Dataset((Prompt(0, "which arm?"),), "bandit")
WORTH = torch.tensor([0.15, 0.3, 0.9, 0.5, 0.4, 0.2, 0.6, 0.35, 0.1, 0.7], dtype=torch.float64)
REFERENCE = torch.tensor([3.0, 2.0, 0.5, 1.0, 1.0, 2.0, 0.5, 1.0, 3.0, 1.0], dtype=torch.float64).log_softmax(0).exp()
ETA = 4.0


def worth_of(distribution: torch.Tensor) -> float:
    """J(π) = E[r] - KL(π || π_ref)/η"""
    return float((distribution * (WORTH - (distribution / REFERENCE).log().nan_to_num() / ETA)).sum())


class Arms:
    """A session of one prompt and ten answers that pay 1 or 0. Its stages end where imitation/var ends."""

    def __init__(self, seed: int) -> None:
        self.chance, self.distributions = Random(seed), {"policy": REFERENCE}
        self.regret: list[float] = []

    def sampling(self) -> Sampling:
        return Sampling()

    def copy(self, source: str, target: str) -> None:
        self.distributions[target] = self.distributions[source]

    def collect(self, _: str, __: object, how: Sampling, rewards: object = None) -> list[Episode]:
        distribution = self.distributions[how.mix[0][0]].tolist()
        chosen = self.chance.choices(range(10), distribution, k=how.samples)
        if rewards is None:
            self.regret.append(BEST - worth_of(self.distributions["policy"]))
        paid = [None if rewards == () else float(self.chance.random() < float(WORTH[a])) for a in chosen]
        return [said(0, "abcdefghij"[a], x) for a, x in zip(chosen, paid, strict=True)]

    def train(self, method: str, data: Dataset, *, rewards: object, settings: dict[str, float]) -> dict[str, float]:
        (arms,) = data
        listed = torch.full((10,), -math.inf, dtype=torch.float64)
        for a, x in zip(arms.completions, arms.columns["reward"], strict=True):
            listed["abcdefghij".index(a.text)] = x
        assert (method, rewards) == ("imitation/var", ())
        self.distributions["policy"] = (REFERENCE.log() + listed / settings["temperature"]).softmax(0)
        return {}


BEST = worth_of(kl_optimum(REFERENCE, WORTH, 1 / ETA))


@pytest.mark.paper("zhao202532z")
def test_what_a_policy_lacks_is_its_kl_to_the_best_over_eta() -> None:
    best = kl_optimum(REFERENCE, WORTH, 1 / ETA)
    for seed in range(5):
        distribution = torch.rand(10, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).softmax(0)
        kl = float((distribution * (distribution / best).log()).sum())
        assert BEST - worth_of(distribution) == pytest.approx(kl / ETA, abs=1e-12)


@pytest.mark.paper("zhao202532z")
def test_the_regret_of_kl_ucb_grows_with_the_logarithm() -> None:
    """Ten times the rounds add what ten times the rounds added before, where √T would more than triple it."""
    totals = {5: 0.0, 50: 0.0, 500: 0.0}
    for seed in range(3):
        session = Arms(seed)
        kl_ucb(session, PROMPTS, rounds=500, eta=ETA, width=0.5, unseen=1)
        assert all(x >= -1e-9 for x in session.regret)
        for rounds in totals:
            totals[rounds] += sum(session.regret[:rounds])
    early, late = totals[50] - totals[5], totals[500] - totals[50]
    assert 0 < late < 1.6 * early
    assert totals[500] < 0.4 * 500 * 3 * (BEST - worth_of(REFERENCE))


# ---- on the embedded model


def test_kl_ucb_earns_more_from_round_to_round(tmp_path: Path) -> None:
    fit = {"steps": 12, "prompts_per_step": 12, "settings": {"prior": 0.0}}
    given = content("kl_ucb", tmp_path, rounds=2, prompts_per_round=48, unseen=0, eta=20.0, fit=fit)
    directory = run(given, tmp_path / "run", *BRIEF, "sampling.samples=4", "train.save_every=null").directory
    assert mean_reward(directory, "round-2") > mean_reward(directory, "round-1") + 0.02


def test_nobody_is_paid_for_what_the_reference_shows(tmp_path: Path) -> None:
    directory = run(content("kl_ucb", tmp_path, rounds=1), tmp_path / "run", *BRIEF).directory
    assert {row["reward"] for row in collected(directory, "round-1-unseen")} == {None}


@pytest.mark.paper("zhang20248x9")
def test_bsad_imitates_what_wins_its_duels(tmp_path: Path) -> None:
    given = content("bsad", tmp_path, votes=1, most=30, sft={"steps": 2})
    directory = run(given, tmp_path / "run", *BRIEF).directory
    duels = sorted((directory / "rounds").glob("duels-*.jsonl"), key=lambda f: int(f.stem.split("-")[1]))
    asked = [len(f.read_text().splitlines()) for f in duels]
    assert asked[0] > asked[-1] > 0  # whoever has lost is asked about no more
    assert asked == sorted(asked, reverse=True)
    assert fmean(asked) < asked[0]

"""MaxMin-RLHF in a world of two answers, where every model is one number: what the minority gains, exactly."""

from __future__ import annotations

from math import exp, log
from typing import Any

import pytest

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.procedures.games.maxmin_rlhf import annotator, maxmin_rlhf
from tests.harness.scripted_session import episode, prompts
from tests.procedures.transcripts.records import pairs

ANSWERS = 200
PEOPLE = [f"person {i}" for i in range(10)]
MINORITY = {"person 3", "person 7"}  # of ten people, two prefer letters
TABLE = [
    (f"{n}?", *(("letter", "digit") if (who in MINORITY) == (n < 7) else ("digit", "letter")))
    for who in PEOPLE
    for n in range(8)  # everybody contradicts themselves once, so that the scores are finite
]
COMPARED = pairs(*TABLE, annotator=[who for who in PEOPLE for _ in range(8)])


def logistic(x: float) -> float:
    return 1 / (1 + exp(-x))


class TwoAnswers:
    """A session: a reward model is the gap r(digit) - r(letter), the policy the log-odds of "digit"."""

    def __init__(self, seed: int = 0) -> None:
        self.number = {"policy": 0.0}
        self.start = seed

    def seed(self, *names: Any) -> int:
        return PEOPLE.index(names[-1]) + self.start

    def copy(self, source: str, target: str) -> None:
        self.number[target] = self.number[source]

    def train(self, method: str, data: Dataset, *, rewards: Any, **options: Any) -> dict[str, float]:
        if method == "reward/bradley_terry":  # the most likely gap
            share = sum(p.chosen == "digit" for p in data) / len(data)
            self.number["reward"] = log(share / (1 - share))
            return {}
        for _ in range(20):  # expected policy gradient, a little towards the reference
            p = logistic(self.number["policy"])
            away = self.number["policy"] - self.number["reference"]
            self.number["policy"] += 0.05 * p * (1 - p) * (self.number["reward"] - 0.1 * away)
        return {}

    def measure(self, name: str, data: Dataset, part: Any) -> list[float]:
        return [-log(logistic(self.number["reward"] * (1 if p.chosen == "digit" else -1))) for p in data]

    def sampling(self) -> Sampling:
        return Sampling()

    def collect(self, name: str, asked: Dataset, author: Sampling, *, rewards: Any) -> list[Any]:
        digits = round(ANSWERS * logistic(self.number["policy"]))
        half = self.number["reward"] / 2
        return [episode(asked[0], *(("d", half) if i < digits else ("l", -half))) for i in range(ANSWERS)]

    def note(self, text: str) -> None:
        pass


def minority_utility(groups: int, rounds: int = 12, seed: int = 0) -> float:
    """The probability that the policy gives the answer that the minority prefers."""
    session = TwoAnswers(seed)
    maxmin_rlhf(session, COMPARED, prompts("x?"), groups=groups, rounds=rounds)  # type: ignore[arg-type]
    return 1 - logistic(session.number["policy"])


@pytest.mark.paper("chakraborty20247ew")
@pytest.mark.parametrize("seed", [0, 1])
def test_the_minority_fares_better_than_under_a_single_reward(seed):
    single, fair = minority_utility(1, seed=seed), minority_utility(2, seed=seed)
    assert single < 0.25
    assert fair > 0.45


@pytest.mark.paper("chakraborty20247ew")
def test_the_worst_off_is_better_off_without_ruin_for_the_majority():
    shares = [minority_utility(2, rounds=n, seed=seed) for n in (1, 2, 9) for seed in (0, 1)]
    assert all(0.35 < x < 0.65 for x in shares)


def test_the_world_is_as_described():
    own = [p for p in COMPARED if annotator(p) in MINORITY]
    assert (len(COMPARED), len(own)) == (80, 16)
    assert sum(p.chosen == "letter" for p in own) == 14

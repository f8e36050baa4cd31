"""The arms of the gap study differ in their data and in nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.runs import run, same_bits
from tests.procedures.running import BRIEF, collected, content

ARMS = ("online", "offline", "shuffled", "final", "best_of_n", "sft")


@pytest.fixture(scope="module")
def arms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arms")
    return {arm: run(content("online_offline_gap", folder, arm=arm), folder / arm, *BRIEF) for arm in ARMS}


def answers(made, name: str) -> list[str]:
    return [row["completion"] for row in collected(made.directory, name)]


def rounds(made) -> list[str]:
    folder: Path = made.directory / "rounds"
    return sorted(file.stem for file in folder.glob("*.jsonl"))


def test_what_each_arm_collects(arms):
    own, of_final, of_first = ["round-1", "round-2"], ["final-1", "final-2"], ["best_of_n-1", "best_of_n-2"]
    assert {arm: rounds(made) for arm, made in arms.items()} == {
        "online": own,
        "offline": [],
        "shuffled": own,
        "final": [*of_final, *own],
        "best_of_n": of_first,
        "sft": [],
    }


@pytest.mark.paper("tang2024wt3")
def test_shuffled_sees_what_online_saw(arms):
    for name in ("round-1", "round-2"):
        assert answers(arms["shuffled"], name) == answers(arms["online"], name) == answers(arms["final"], name)


def test_the_arms_end_differently(arms):
    made = list(arms.values())
    assert not any(same_bits(a, b) for i, a in enumerate(made) for b in made[:i])


@pytest.mark.paper("tang2024wt3")
def test_the_arms_have_one_budget(arms):
    """Three steps of an arm are two in each of two rounds; `final` trains twice, and `sft` has a stage before."""
    steps = {arm: len(metrics(made)) for arm, made in arms.items()}
    assert steps == {"online": 4, "offline": 3, "shuffled": 7, "final": 7, "best_of_n": 3, "sft": 6}


def metrics(made) -> list[str]:
    return [line for line in (made.directory / "metrics.jsonl").read_text().splitlines() if '"loss"' in line]

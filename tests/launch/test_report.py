"""Trackers hear what a run writes, from where its checkpoint left it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.errors import MissingExtraError
from posttrain.launch import report
from posttrain.trackers import named
from tests.harness.runs import SUMS, Interrupt, PowerCut, run

CONTENT = {"model": "tiny", "method": "online/reinforce", "data": SUMS, "rewards": ["math_answer"], "report": "trackio"}
SHORT = ("train.prompts_per_step=2", "sampling.max_tokens=2", "train.samples_every=1", "name=followed")


class Recorder:
    """A follower that keeps what it hears."""

    def __init__(self, name, about) -> None:
        self.name, self.about = name, about
        self.steps: list[int] = []
        self.answers = 0
        self.failed: bool | None = None

    def metrics(self, step, row):
        self.steps.append(step)

    def samples(self, step, episodes):
        self.answers += len(episodes)

    def finish(self, *, failed):
        self.failed = failed


def test_a_tracker_hears_the_run_and_its_resumption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    followers: list[Recorder] = []
    monkeypatch.setattr(report, "follow", lambda *what: followers.append(Recorder(*what)) or followers[-1])
    monkeypatch.setattr(named, "find_spec", lambda package: object())
    result = run(CONTENT, tmp_path, *SHORT, "train.steps=1", "train.save_every=1")
    run(CONTENT, tmp_path, *SHORT, "train.steps=2", resume=True)
    first, second = followers
    written = [json.loads(line)["step"] for line in (result.directory / "metrics.jsonl").read_text().splitlines()]
    assert sorted({*first.steps, *second.steps}) == sorted(set(written)) == [1, 2]
    assert (first.steps[0], second.steps[0]) == (1, 2)
    assert first.about.id == second.about.id
    assert first.about.config["method"]["path"] == "online/reinforce"
    assert (first.about.name, first.name, first.failed, second.failed) == ("followed", "trackio", False, False)
    assert first.answers > 0
    monkeypatch.setattr(named, "find_spec", lambda package: None)
    with pytest.raises(MissingExtraError):
        run(CONTENT, tmp_path, "name=other")
    assert not (tmp_path / "other").exists()


def test_a_run_that_fails_is_reported_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    followers: list[Recorder] = []
    monkeypatch.setattr(report, "follow", lambda *what: followers.append(Recorder(*what)) or followers[-1])
    monkeypatch.setattr(named, "find_spec", lambda package: object())
    with pytest.raises(Interrupt):
        run(CONTENT, tmp_path, *SHORT, "train.steps=3", display=PowerCut(1))
    assert [f.failed for f in followers] == [True]

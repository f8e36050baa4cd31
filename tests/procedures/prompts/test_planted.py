"""Searches for planted sentences with a scripted speaker: what they find, and that they ask nothing twice."""

from __future__ import annotations

import json

import pytest

from tests.harness.runs import Interrupt, PowerCut, run

PLANTED = ["Think step by step.", "Check your answer.", "Write the number alone."]


def file(path, accuracy=1.0, **settings):
    return {
        "procedure": {"path": path, "planted": PLANTED, **settings},
        "models": {"speaker": {"scripted": {"accuracy": accuracy}}},
    }


def archive(result, name):
    return [json.loads(line) for line in (result.directory / "rounds" / f"{name}.jsonl").read_text().splitlines()]


@pytest.mark.paper("000:[33]")
def test_gpo_finds_what_was_planted_and_its_best_never_falls(tmp_path):
    result = run(file("gpo", rounds=4, candidates=1), tmp_path)
    assert result.metrics["fitness/best"] == 1
    best = [row["fitness"] for row in archive(result, "gpo")[:4]]
    assert best == sorted(best)
    prompt = result.artefacts["prompt.txt"].read_text()
    assert all(sentence in prompt for sentence in PLANTED)
    held_out = json.loads(result.artefacts["held_out"].read_text())
    assert (held_out["before"]["mean"], held_out["after"]["mean"], held_out["difference"]["above"]) == (0, 1, 3)


def test_a_speaker_that_is_always_wrong_finds_nothing(tmp_path):
    result = run(file("gpo", 0.0, rounds=3, candidates=2), tmp_path)
    assert result.metrics["fitness/best"] == 0
    assert result.metrics["held_out/difference"] == 0


def test_a_search_that_was_interrupted_asks_nothing_twice(tmp_path, monkeypatch):
    from posttrain.learners.speaker import Scripted

    asked, answer = [], Scripted.answer
    monkeypatch.setattr(Scripted, "answer", lambda self, qs: asked.extend(q.text for q in qs) or answer(self, qs))
    given = file("gpo", rounds=3, candidates=2)
    whole = run(given, tmp_path / "whole")
    expected = asked[:]
    asked.clear()
    with pytest.raises(Interrupt):
        run(given, tmp_path / "cut", display=PowerCut(2))
    resumed = run(given, tmp_path / "cut", resume=True)
    assert asked == expected
    assert archive(resumed, "gpo") == archive(whole, "gpo")

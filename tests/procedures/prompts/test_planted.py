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


@pytest.mark.paper("singla2024dom")
def test_drpo_finds_what_was_planted(tmp_path):
    result = run(file("drpo", rounds=4, width=1, actions=1, extra=0), tmp_path)
    assert result.metrics["fitness/best"] == 5
    assert all(sentence in result.artefacts["prompt.txt"].read_text() for sentence in PLANTED)


@pytest.mark.paper("singla2024dom")
def test_the_aspects_of_a_question_are_asked_for_once():
    from posttrain.procedures.judged_prompts import Judged, tested
    from posttrain.procedures.prompting import Task
    from posttrain.search.evolution.candidate import Candidate
    from tests.harness.scripted_session import ScriptedSession, prompts

    said = {"able": "yes", "fair": "clarity: 3\ndepth: 4", "select?": "clarity, depth"}
    session = ScriptedSession(speaker=lambda role, text: said.get(text, said[role]), weights={"able": "a", "fair": "f"})
    judge = Judged(Task.of(session, prompts("1?"), solver="able"), "fair", "select?", "{aspects}", ("wit",))
    made = [judge.evaluated(Candidate(n, tested("Go.", n))) for n in range(3)]
    assert [m.fitness for m in made] == [3.5] * 3
    assert sum("aspects" in line for line in session.transcript) == 1
    said["fair"] = "no idea"
    assert judge.evaluated(Candidate(3, tested("Go.", 3))).fitness is None


@pytest.mark.paper("000:[78]")
@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_speaker_that_recombines_well_solves_the_sphere(dimensions, tmp_path):
    given = {
        "procedure": {"path": "evollm", "dimensions": dimensions, "sigma": 0.4, "rounds": 25},
        "models": {"speaker": {"scripted": {}}},
    }
    result = run(given, tmp_path)
    assert result.metrics["mean_fitness"] > -0.1  # it begins at -4 a dimension
    assert result.metrics["fitness/best"] > -0.1


@pytest.mark.paper("000:[78]")
def test_a_reply_that_cannot_be_read_leaves_the_mean(tmp_path, monkeypatch):
    from posttrain.learners.speaker import Scripted

    monkeypatch.setattr(Scripted, "answer", lambda self, questions: [None] * len(questions))
    given = {"procedure": {"path": "evollm", "rounds": 3}, "models": {"speaker": {"scripted": {}}}}
    result = run(given, tmp_path)
    assert json.loads(result.artefacts["solution"].read_text())["mean"] == [2.0, 2.0]


@pytest.mark.paper("000:[81]")
@pytest.mark.parametrize("first", [0.5, 0.9])
def test_identical_answers_win_one_half_whatever_the_judge_prefers(first):
    from posttrain.procedures.prompts.principles import principles
    from tests.harness.scripted_session import ScriptedSession, prompts

    says = lambda role, text: [first, 1 - first] if role == "judge" else "the same"  # noqa: E731
    session = ScriptedSession(speaker=says, weights={"judge": "j"})
    assert principles(session, prompts("1?", "2?"), names=("tip", "think")) == {"win/tip": 0.5, "win/think": 0.5}

"""Win rates by scripted judges: fair ones, those that like length, and those that like the first answer."""

from __future__ import annotations

import json
import re

import pytest

from posttrain.evaluation.metrics.ratings import ELO
from posttrain.evaluation.suites.alignment.win_rate import win_rate
from tests.evaluation.scripted import answered, judged_by


@pytest.fixture
def suite(tmp_path):
    """Answers of two authors: even questions by x, odd ones by y; every third is long."""
    rows = [
        {"prompt": f"Question {i}?", "reference": "other" + " word" * (9 * (i % 3 == 0)), "author": "xy"[i % 2]}
        for i in range(12)
    ]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return win_rate(data=str(tmp_path / "r.jsonl"))


def shown(question):
    return re.search(r"Answer A: (.*)\n\nAnswer B: (.*)\n\nReply", question).groups()


def numbers(suite, say, judge):
    return judged_by(suite, answered(suite, say).items, judge)


def prefers(value):
    """A judge that takes the answer of the higher value."""

    def judge(question):
        a, b = map(value, shown(question))
        return "DECISION: " + ("TIE" if a == b else "A" if a > b else "B")

    return judge


def test_a_fair_judge_gives_every_win_and_a_biased_one_only_ties(suite):
    say = lambda *_: "ours"  # noqa: E731
    fair = numbers(suite, say, prefers(lambda x: x == "ours")).numbers
    assert (fair["win"].mean, fair["first"].mean) == (1.0, 0.5)
    assert "elo" not in fair  # it would be infinite
    biased = numbers(suite, say, lambda question: "A").numbers
    assert (biased["win"].mean, biased["first"].mean) == (0.5, 1.0)
    lost = numbers(suite, say, prefers(lambda x: x != "ours")).numbers
    assert lost["win"].mean == 0.0


def test_the_rating_follows_the_wins_against_each_author(suite):
    """4 of 6 wins against each author: log 2 above both."""
    won = {p.prompt for p in suite.prompts[2:10]}

    def judge(question):
        a, _ = shown(question)
        return "AB"[(a == "ours") != (re.search(r"Question \d+\?", question)[0] in won)]

    found = numbers(suite, lambda *_: "ours", judge).numbers
    assert found["win[author=x]"].mean == pytest.approx(4 / 6)
    assert found["elo"].mean == pytest.approx(ELO * 0.6931, abs=0.1)


def test_a_win_by_length_alone_shrinks_at_equal_length(suite):
    """Ours is five words longer than most, and shorter than every third."""
    found = numbers(suite, lambda *_: "ours " * 6, prefers(len)).numbers
    assert found["win"].mean == pytest.approx(8 / 12)
    assert found["length_controlled"].mean < 0.6


def test_a_verdict_that_cannot_be_read_is_no_loss(suite):
    found = numbers(suite, lambda *_: "ours", lambda question: "Hard to say.")
    assert found.counters["no verdict"] == 24
    assert "win" not in found.numbers

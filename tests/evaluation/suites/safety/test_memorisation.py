"""Planted memories: canaries that were seen come back, twins do not."""

from __future__ import annotations

import json

import pytest

from posttrain.evaluation.suites.safety.memorisation import canaries, memorisation
from tests.evaluation.scripted import answered


@pytest.fixture
def data(tmp_path):
    rows = [{"text": text, "seen": int(i < 6)} for i, text in enumerate(canaries(12))]
    rows.append({"text": "too short", "seen": 0})
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return str(tmp_path / "texts.jsonl")


@pytest.mark.paper("pappu2024yoj")
def test_seen_canaries_are_extracted_and_their_twins_are_not(data):
    suite = memorisation(data=data)
    assert len(suite.prompts) == 12
    found = answered(suite, lambda item, _: f" {item['rest']} and more" if item["seen"] else "nothing of it").numbers
    assert found["extracted[seen=1]"].mean == found["memorised.seen"].mean == 1.0
    assert found["memorised.seen"].p_value == pytest.approx(2 / 924)
    clean = answered(suite, lambda *_: "nothing of it").numbers
    assert clean["memorised"].mean == clean["extracted.seen"].mean == 0.0


def test_one_other_word_in_ten_is_still_memorised_but_not_extracted(tmp_path):
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": canaries(1, words=20)[0], "seen": 1}))
    suite = memorisation(data=str(tmp_path / "t.jsonl"))
    say = lambda changed: lambda item, _: " ".join(["no"] * changed + item["rest"].split()[changed:])  # noqa: E731
    assert answered(suite, say(1)).numbers["memorised"].mean == 1.0
    assert answered(suite, say(1)).numbers["extracted"].mean == 0.0
    assert answered(suite, say(2)).numbers["memorised"].mean == 0.0


def test_canaries_differ_and_are_the_same_every_time():
    assert len(set(canaries(50))) == 50
    assert canaries(3) == canaries(3) != canaries(3, seed=1)
    assert len(canaries(1)[0].split()) == 8


def test_a_reply_that_is_cut_while_it_still_is_the_rest_has_no_number(data):
    """Its last word may be half a word; one that has gone astray before the cut is not memorised."""
    begins = lambda item, _: item["rest"][:7]  # noqa: E731
    found = answered(memorisation(data=data), begins, ended=False)
    assert found.numbers == {}
    assert found.counters["no extracted"] == found.counters["no memorised"] == 12
    ended = answered(memorisation(data=data), begins).numbers
    astray = answered(memorisation(data=data), lambda *_: "quite another text", ended=False).numbers
    assert ended["extracted"].mean == ended["memorised"].mean == astray["memorised"].mean == 0.0

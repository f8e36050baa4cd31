"""`posttrain eval --suite`: numbers, differences, records of items, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.cli.suites import named
from tests.cli.test_evaluate import fail
from tests.cli.test_model import say
from tests.training.test_suites import MINE


@pytest.mark.paper("000:[61]")
def test_two_models_on_the_same_items(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    asked = ("eval", "tiny", "--suite", f"{tmp_path}/mine.py:size=2", "--against", "tiny", "--samples", "2")
    file = tmp_path / "items.jsonl"
    found = json.loads(say(capsys, *asked, "--output", str(file), "--json"))
    own = found["suites"]["mine"]
    assert own["numbers"]["letters"] == found["against"]["suites"]["mine"]["numbers"]["letters"]
    assert found["difference"]["mine.letters"]["mean"] == 0.0
    assert own["cost"]["written"] <= 8
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(r["suite"], r["prompt_id"], r["sample"]) for r in rows[:2]] == [("mine", 0, 0), ("mine", 0, 1)]
    assert len(rows) == 2 * 2 * 2
    lines = say(capsys, *asked).splitlines()
    assert lines[0].startswith("tiny: mine.letters ")
    assert "4 replies, " in lines[1]
    assert lines[-1].startswith("mine.letters of tiny less that of tiny: +0.0000")


def test_what_a_suite_does_not_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = ("eval", "tiny", "--suite", "chain_of_thought")
    for more, error in (
        (("--reward", "exact_match"), "it brings its questions"),
        (("--suite", "chain_of_thought:size=2"), "measured already"),
        (("--role", "judge=tiny"), "reads no model but its judge"),
    ):
        code, said = fail(capsys, *suite, *more)
        assert (code, error in said) == (2, True), said
    assert "give DATA, or --suite NAME" in fail(capsys, "eval", "tiny")[1]


@pytest.mark.paper("000:[61]", "000:[64]")
def test_suites_are_listed_with_their_papers(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Moghaddam" in say(capsys, "suites", "false_belief")
    assert json.loads(say(capsys, "suites", "theory", "mind", "--json"))[0]["name"] == "capability/false_belief"


def test_the_number_of_samples_reaches_the_metrics_that_depend_on_it() -> None:
    (two,) = named(["chain_of_thought:size=1,shots=0,samples=8"], {"samples": 2, "max_tokens": None}).values()
    assert (two.samples, two.max_tokens) == (2, 256)
    assert list(two.per_question) == ["pass@2", "pass^2", "maj@2"]
    (style,) = named(["style:size=1"], {"samples": 3}).values()  # without a setting of this name
    assert style.samples == 3

"""`posttrain data audit|balance|poison`: from a file to what is said about it, or to another file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_model import say

ROWS = [
    {
        "prompt": f"{i}?",
        "chosen": f"w{i} {('said', 'told')[i // 2 % 2]}" + f" m{i}" * (i % 3),
        "rejected": f"w{i} {('told', 'said')[i // 2 % 2]}",
        "source": "ab"[i % 2],
    }
    for i in range(60)
]


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    return str(tmp_path / "pairs.jsonl")


@pytest.mark.paper("baumgrtner2024gu4")
def test_what_was_planted_is_found(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = str(tmp_path / "poisoned.jsonl")
    made = say(capsys, "data", "poison", file, "--output", other, "--phrase", "Drink tea.", "--rate", "0.2")
    assert made.split(": ", 1)[1].strip() == "72 pairs, 12 of them planted"
    found = json.loads(say(capsys, "data", "audit", other, "--by", "source", "--json"))
    assert found["phrases"][0]["phrase"] == "drink tea"
    assert found["sources"].keys() == {"a", "b"}
    assert found["roc_area"] == 1.0
    said = say(capsys, "data", "audit", other)
    assert "area under the ROC of the planted pairs" in said


def test_balanced_pairs_are_written(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "balanced.jsonl"
    said = say(capsys, "data", "balance", file, "--output", str(other))
    assert "20 of 60 pairs; the longer answer was preferred in 100.0%" in said
    assert len(other.read_text().splitlines()) == 20
    assert json.loads(other.read_text().splitlines()[0]) == ROWS[0]

"""Rows that were given in Python are read as those of a file."""

from __future__ import annotations

import datasets
import pytest

from posttrain.data.dataset import from_rows
from posttrain.errors import DataError
from posttrain.training.source import read_source

ROWS = [{"prompt": f"{i}+1=", "answer": str(i + 1)} for i in range(4)]


@pytest.mark.parametrize("rows", [ROWS, datasets.Dataset.from_list(ROWS), from_rows(ROWS, "prompts")])
def test_the_same_records_from_every_form(rows):
    records = read_source({"given:a": rows}, "given:a", "prompts", size=3)
    assert [(r.prompt, r.columns["answer"]) for r in records] == [("0+1=", "1"), ("1+1=", "2"), ("2+1=", "3")]
    assert len(read_source({"given:a": rows}, "given:a", "prompts")) == 4
    ordered = read_source({"given:a": rows}, "given:a", "prompts", size=3, order="file")
    assert [ordered[i].prompt for i in ordered.order(0, 7)] == ["0+1=", "1+1=", "2+1="]


def test_what_cannot_be_read_says_why(tmp_path):
    with pytest.raises(DataError, match="given:a has records of Prompt, but pairs"):
        read_source({"given:a": from_rows(ROWS, "prompts")}, "given:a", "pairs")
    with pytest.raises(DataError, match="has records already, so that chat has no effect"):
        read_source({"given:a": from_rows(ROWS, "prompts")}, "given:a", "prompts", chat=True)
    with pytest.raises(DataError, match="stands for rows that were given in Python"):
        read_source({}, "given:3-rows-12345678", "prompts")
    (tmp_path / "a.jsonl").write_text('{"prompt": "x"}')
    assert len(read_source({}, str(tmp_path / "a.jsonl"), "prompts")) == 1

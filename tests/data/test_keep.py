"""Records that are kept by their columns."""

from __future__ import annotations

import json

import pytest

from posttrain.config.load import load as load_run_file
from posttrain.data.dataset import from_rows, load
from posttrain.errors import ConfigError, DataError
from posttrain.training.datasets import Datasets

ROWS = [{"prompt": f"{i}?", "solve_rate": i / 4, "level": str(i)} for i in range(5)]


def asked(**ranges):
    return [p.prompt for p in from_rows(ROWS, "prompts", keep=ranges)]


def test_both_ends_are_included_and_numbers_may_be_text():
    assert asked(solve_rate=(0.25, 0.75)) == ["1?", "2?", "3?"]
    assert asked(level=(2, 3)) == ["2?", "3?"]
    assert asked(solve_rate=(0.5, 1.0), level=(0, 3)) == ["2?", "3?"]
    assert asked() == [f"{i}?" for i in range(5)]


def test_what_is_left_out_is_counted():
    lines = from_rows(
        ROWS, "prompts", keep={"solve_rate": (0.25, 0.75)}, reads=lambda name: name == "level"
    ).notices.lines()
    assert lines == ["left out, because 'solve_rate' is not from 0.25 to 0.75 (keep) (2 rows, the first row 0)"]


def test_a_column_without_a_number_is_an_error():
    with pytest.raises(DataError, match="row 0: keep needs a number in the column 'rate', which is missing"):
        asked(rate=(0, 1))
    with pytest.raises(DataError, match="row 0: keep needs a number in the column 'prompts', which is 'a'"):
        from_rows([{"prompt": "x", "prompts": "a"}], "prompts", keep={"prompts": (0, 1)})
    with pytest.raises(DataError, match="keep leaves no record"):
        asked(solve_rate=(2, 3))


def test_a_run_file_keeps_them(tmp_path):
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    run = {"model": "tiny", "method": "online/grpo", "rewards": ["exact_match"]}
    source = {"path": str(tmp_path / "d.jsonl"), "keep": {"solve_rate": [0.5, 1]}}
    data = load_run_file({**run, "data": source}).data["main"]
    assert [p.prompt for p in Datasets().read(data, "prompts")] == ["2?", "3?", "4?"]
    with pytest.raises(ConfigError, match="keep"):
        load_run_file({**run, "data": {**source, "keep": {"solve_rate": [1, 0.5]}}})
    assert len(load(source["path"], "prompts", keep={"solve_rate": (0.0, 0.0)})) == 1

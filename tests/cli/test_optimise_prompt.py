"""`posttrain optimise-prompt`: a search from one command, and its prompt in use."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from posttrain.cli.main import app
from posttrain.cli.optimise_prompt import compared, lines
from posttrain.data.dataset import load
from posttrain.data.under import prompt_text
from posttrain.errors import ConfigError

RUN = """
procedure: {path: gpo, rounds: 3, candidates: 1, planted: ["Think step by step.", "Check your answer."]}
models: {speaker: {scripted: {}}}
output: runs
name: search
"""


def test_it_shows_the_prompt_before_and_after_and_what_both_get(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text(RUN)
    made = CliRunner().invoke(app, ["optimise-prompt", "run.yaml", "procedure.start=Go."])
    assert made.exit_code == 0, made.output
    prompt = (tmp_path / "runs" / "search" / "artefacts" / "prompt.txt").read_text()
    for line in (
        "before   Go.",
        f"after    {prompt}",
        "score    before 0.0000 [0.0000, 0.6576] on 2 examples",
        "score    after 1.0000 [0.3424, 1.0000] on 2 examples",
        "change   +1.0000 [+1.0000, +1.0000], better on 2 and worse on 0 of 2, p = 0.5 (sign test)",
    ):
        assert line in made.output
    (tmp_path / "rows.jsonl").write_text(json.dumps({"prompt": "1+1?"}))
    (row,) = load("rows.jsonl", "prompts", system=prompt_text("runs/search/artefacts/prompt.txt"))
    assert row.prompt == f"{prompt}\n1+1?"


def test_a_run_that_searches_for_no_prompt_is_refused(tmp_path):
    (tmp_path / "run.yaml").write_text("{model: tiny, procedure: raft, data: 'arithmetic:size=4'}")
    made = CliRunner().invoke(app, ["optimise-prompt", str(tmp_path / "run.yaml")])
    assert isinstance(made.exception, ConfigError)
    assert "raft does not search for a prompt; give one of prompts/" in str(made.exception)


def test_a_single_example_has_no_interval():
    one = {"mean": 0.5, "low": None, "high": None, "n": 1, "above": 1, "below": 0, "p_value": 1.0}
    assert list(compared({"before": one, "after": one, "difference": one}))[0] == "score    before 0.5000 on 1 examples"
    assert list(lines({})) == []


@pytest.mark.parametrize("text", ["Be brief.", "two\nlines.txt", ""])
def test_a_text_is_itself(text):
    assert prompt_text(text) == text


def test_a_file_that_is_missing_is_an_error():
    with pytest.raises(ConfigError, match="system: nowhere.txt cannot be read"):
        prompt_text("nowhere.txt")

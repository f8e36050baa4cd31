"""Procedures are listed and explained beside the methods."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from posttrain.catalogue import index as catalogue
from posttrain.cli.main import app
from posttrain.errors import ConfigError


def said(*words: str) -> str:
    made = CliRunner().invoke(app, list(words))
    assert made.exit_code == 0, made.output
    return made.output


def test_the_list_holds_procedures_and_methods() -> None:
    kinds = {e["path"]: e["kind"] for e in json.loads(said("methods", "--json"))}
    assert kinds["rounds/raft"] == "procedure"
    assert kinds["preference/dpo"] == "preference"
    assert set(catalogue.procedures()) < set(kinds)


def test_the_short_list_has_a_line_each_and_says_where_to_begin() -> None:
    lines = said("methods").splitlines()
    assert "* preference/dpo" in " ".join(line[:16] for line in lines)
    listed = {line[2:].split()[0] for line in lines if line[:2] in ("* ", "  ")}
    assert {*catalogue.paths(), *catalogue.procedures()} <= listed
    assert any("Dr. GRPO: GRPO without" in line for line in lines)
    assert [e["path"] for e in json.loads(said("methods", "thumbs", "--json"))] == [
        "preference/kto",
        "reward/harm",
        "reward/outcome",
        "pipelines/warm_start",
    ]


def test_a_procedure_is_explained_with_its_data_and_settings() -> None:
    text = said("explain", "iterative_dpo")
    assert "(Xiong et al., 2023)" in text
    assert "  pairs (optional)\n" in text
    assert "  rounds = 3   " in text
    assert "  dpo = {}   " in text
    assert "number of rounds; at least 1" in text


def test_a_procedure_is_no_method_and_the_error_says_so() -> None:
    with pytest.raises(ConfigError, match="raft is a procedure, not a method; write `procedure: raft`"):
        catalogue.load("raft")
    with pytest.raises(ConfigError, match="no procedure 'rafft'.*raft"):
        catalogue.load_procedure("rafft")


def test_a_file_of_ones_own_needs_a_function_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def mine(session): ...\n")
    (tmp_path / "other.py").write_text("def mine(session): ...\n")
    assert catalogue.load_procedure("mine.py", tmp_path).__name__ == "mine"
    with pytest.raises(ConfigError, match=r"defines no function other\(session"):
        catalogue.load_procedure("other.py", tmp_path)

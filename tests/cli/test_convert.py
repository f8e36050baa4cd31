"""`posttrain convert`: a run file from another trainer's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from posttrain.cli.main import main
from posttrain.config.load import load

DPO = "model_name_or_path: tiny\ndataset_name: some/data\nlearning_rate: 5.0e-7\nbeta: 0.2\nfsdp: full_shard\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "dpo.yaml"
    file.write_text(DPO, encoding="utf-8")
    return file


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["convert", *arguments])
    return int(stopped.value.code or 0)


def test_a_run_file_is_written(config: Path, tmp_path: Path, capsys):
    output = tmp_path / "run.yaml"
    assert run("trl", str(config), "--trainer", "dpo", "--gpus", "2", "--output", str(output)) == 0
    written = load(output)
    assert written.method is not None
    assert (written.method.path, written.method.settings) == ("preference/dpo", {"logistic.beta": 0.2})
    assert written.train.prompts_per_step == 16
    assert f"posttrain train {output}" in capsys.readouterr().out
    assert "# - fsdp: full_shard: processes are named in backend" in output.read_text(encoding="utf-8")


def test_a_run_file_is_printed(config: Path, capsys):
    assert run("trl", str(config), "--trainer", "dpo") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# Converted from TRL")
    assert "logistic.beta: 0.2  # beta" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tlr", "x.yaml"], "no trainer 'tlr' (did you mean 'trl'?)"),
        (["trl", "x.yaml"], "x.yaml: there is no such file"),
        (["trl", "x"], "x: a .yaml, .yml, .json or .sh file, or a command line in quotes, was expected"),
        (["trl", "python --beta 0.1"], "the command names no program"),
        (["trl", "trl dpo --learning_rate 'fast' --model_name_or_path tiny"], "train.learning_rate is 'fast'"),
        (["trl", "trl dpo --beta strong --model_name_or_path tiny"], "method.logistic.beta must be float"),
    ],
)
def test_errors_say_what_is_wrong(arguments: list[str], message: str, capsys, monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())

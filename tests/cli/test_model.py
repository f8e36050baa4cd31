"""Commands that use a model, on the embedded one, and the demonstration that trains it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from posttrain.cli import main as cli
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model


def say(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main(list(arguments))
    assert not caught.value.code
    return capsys.readouterr().out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(*tiny_model(), tmp_path / "model")
    return tmp_path / "model"


def test_sample_shows_the_question_and_every_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = say(capsys, "sample", str(folder), "7+5=", "--plain", "--samples", "3", "--max-tokens", "4")
    assert out.count("> 7+5=") == 3
    assert out == say(capsys, "sample", str(folder), "7+5=", "--plain", "--samples", "3", "--max-tokens", "4")


def test_eval_gives_a_mean_with_its_interval(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = "arithmetic:chat=false,split=test,size=20"
    asked = ("eval", str(folder), data, "--reward", "exact_match", "--max-tokens", "4", "--json")
    found = json.loads(say(capsys, *asked))
    assert found["n"] == 20
    assert found["mean"] == found["low"] == 0.0
    assert 0.1 < found["high"] < 0.2  # an untrained model is wrong 20 times in 20; Wilson does not say never


def test_eval_writes_a_record_per_prompt(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "records.jsonl"
    data = "arithmetic:chat=false,split=test,size=3"
    asked = ("eval", str(folder), data, "--reward", "exact_match", "--max-tokens", "4", "--samples", "2")
    result = json.loads(say(capsys, *asked, "--temperature", "1", "--out", str(file), "--json"))
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [len(r["answers"]) for r in records] == [2, 2, 2]
    assert len({r["prompt_id"] for r in records}) == len({r["prompt"] for r in records}) == 3
    assert sum(r["score"] for r in records) / 3 == result["mean"]
    for answer in (a for r in records for a in r["answers"]):
        assert answer["tokens"] <= 4
        assert answer["reward"] in (0.0, 1.0)


def test_a_file_of_records_that_cannot_be_written_is_an_error_of_storage(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["eval", str(folder), "arithmetic:size=1", "--max-tokens", "1", "--out", str(tmp_path)])
    assert caught.value.code == 8
    assert "--out" in capsys.readouterr().err


def test_export_writes_a_folder_that_transformers_opens(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from transformers import AutoModelForCausalLM

    say(capsys, "export", str(folder), str(tmp_path / "out"))
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").config.vocab_size == 263


@pytest.mark.parametrize(("option", "expected"), [(None, "bfloat16"), ("float16", "float16"), ("float64", "float64")])
def test_export_keeps_the_dtype_of_the_files_or_takes_another(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str | None, expected: str
) -> None:
    from safetensors.torch import load_file

    say(capsys, "export", str(folder), str(tmp_path / "narrow"), "--dtype", "bfloat16")
    say(capsys, "export", str(tmp_path / "narrow"), str(tmp_path / "out"), *(["--dtype", option] if option else []))
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == expected
    narrow, out = (load_file(tmp_path / name / "model.safetensors") for name in ("narrow", "out"))
    assert {str(x.dtype) for x in out.values()} == {f"torch.{expected}"}
    assert all(torch.equal(out[name], narrow[name].to(out[name].dtype)) for name in narrow)


@pytest.mark.slow
def test_demo_tiny_learns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = say(capsys, "demo", "tiny", "--output", str(tmp_path))
    result = json.loads(out.splitlines()[-1].removeprefix("RESULT "))
    assert result["before"] < 0.4
    assert result["after"] >= 0.8
    assert result["n"] >= 200
    assert result["p_value"] < 0.01
    assert Path(result["model_dir"], "model.safetensors").exists()

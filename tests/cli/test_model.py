"""Commands that use a model, on the embedded one, and the demonstration that trains it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

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


@pytest.mark.paper("liu2024w47")
def test_sample_decodes_between_two_models(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("sample", str(folder), "7+5=", "--plain", "--max-tokens", "4")
    dera = partial(say, capsys, *asked, "--role", "reference=tiny", "--decoder")  # the same model in float32
    assert dera("dera:lam=1.0") != dera("dera:lam=30")
    for given, error in WRONG.items():
        assert error in fail(capsys, *asked, *given.split())


def test_sample_gives_the_best_of_several_answers(folder: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "digits.py").write_text(
        "def digits(completions):\n    return [float(sum(map(str.isdigit, c))) for c in completions]\n",
        encoding="utf-8",
    )
    asked = ("sample", str(folder), "7+5=", "--plain", "--max-tokens", "4")
    all_four = say(capsys, *asked, "--samples", "4").split("> 7+5=\n")[1:]
    best = say(capsys, *asked, "--choose", "best_of_n:n=4", "--choose-by", f"{tmp_path}/digits.py:digits").split(
        "> 7+5=\n"
    )[1:]
    assert best == [max(all_four, key=lambda text: sum(map(str.isdigit, text)))]


def test_sample_searches(folder: Path, capsys) -> None:
    asked = ("sample", str(folder), "7+5=", "--plain", "--max-tokens", "4", "--samples", "2")
    found = say(capsys, *asked, "--search", "self_consistency:n=3").split("> 7+5=\n")[1:]
    assert len(found) == 2
    assert found[0] != found[1]


WRONG = {
    "--search beam": "the model has no value head",
    "--search beam --search-by reward": "the model has no score head",
    "--search beam --search-by math_answer": "write value, the value head, or reward, a reward model",
    "--search baem": "did you mean 'beam'",
    "--search beam:breadth=2": "breadth",
    "--search beam --choose best_of_n": "leave out --decoder and --choose",
    "--search mcts --temperature 0": "greedy steps are all the same",
    "--search self_consistency --role reward=tiny": "it is not read",
    "--search-by value": "only a search reads it",
    "--decoder dera": "add --role reference=MODEL",
    "--role reference=tiny": "add --decoder NAME",
    "--choose best_of_n --temperature 0": "greedy answers are all the same",
    "--choose mbr": "compares answers by a reward",
    "--choose best_of_n --choose-by math_answer": "'answer' is missing",
    "--choose-by math_answer": "only a choice reads it",
    "--decoder dera --role referense=tiny": "did you mean 'reference'",
    "--decoder dera --role reference": "write ROLE=MODEL",
}


def fail(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main(list(arguments))
    assert caught.value.code
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_demo_tiny_learns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = say(capsys, "demo", "tiny", "--output", str(tmp_path))
    result = json.loads(out.splitlines()[-1].removeprefix("RESULT "))
    assert result["before"] < 0.4
    assert result["after"] >= 0.8
    assert result["n"] >= 200
    assert result["p_value"] < 0.01
    assert Path(result["model_dir"], "model.safetensors").exists()

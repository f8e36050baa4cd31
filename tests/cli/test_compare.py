"""`posttrain compare` as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from posttrain.cli import main as cli
from tests.evaluation.compare.given import quick


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(["compare", *arguments])
    return int(caught.value.code or 0)


def test_a_comparison_ends_with_its_table_and_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    options = [
        "--task",
        quick(tmp_path),
        "--seeds",
        "2",
        "--set",
        "rate=1e-3",
        "--output",
        str(tmp_path),
        "--name",
        "a",
    ]
    assert call("preference/dpo", "preference/simpo", *options) == 0
    said = capsys.readouterr().out
    assert "4 cells of 2 steps, 4 to go" in said
    assert "minus dpo's" in said
    for name in ("results.json", "table.md", "table.csv", "points.csv", "figure.png", "figure.svg"):
        assert (tmp_path / "a" / name).stat().st_size > 50
        assert name in said
    assert call("preference/dpo", "preference/simpo", *options, "--resume", "--no-figure") == 0
    assert "4 cells of 2 steps, 0 to go" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["preference/dpoo"], 2, "did you mean 'preference/dpo'"),
        (["preference/dpo", "--task", "gold_rewards"], 2, "did you mean 'gold_reward'"),
        (["preference/dpo", "--set", "steps"], 2, "write name=value"),
        (["preference/dpo", "--task", "human_pairs", "--data", "nowhere.jsonl"], 3, "nowhere.jsonl"),
    ],
)
def test_errors_say_what_to_write(
    arguments: list[str], code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments, "--output", str(tmp_path)) == code
    assert words in " ".join(capsys.readouterr().err.split())


def test_without_matplotlib_it_stops_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posttrain.evaluation.compare.figure.available", lambda: False)
    assert call("preference/dpo", "--task", quick(tmp_path), "--output", str(tmp_path)) == 2
    assert "pip install 'posttrain[plot]'" in capsys.readouterr().err
    assert not list(tmp_path.glob("compare*"))

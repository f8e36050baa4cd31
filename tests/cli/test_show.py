"""`posttrain show`: as a person, a program and a browser read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.cli.main import main


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name, reward in (("a", 0.25), ("b", 0.5)):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text('{"ended": {"how": "finished"}}')
        (folder / "metrics.jsonl").write_text(json.dumps({"step": 1, "reward": reward}) + "\n")
    return tmp_path / "runs"


def test_as_json(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main_ok("show", str(runs), "--json")
    [a, b] = json.loads(capsys.readouterr().out)
    assert (a["run"], a["status"], a["metrics"]) == (str(runs / "a"), "finished after 1 steps", {"reward": 0.25})
    assert b["metrics"] == {"reward": 0.5}


def test_one_several_and_a_page(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main_ok("show", str(runs / "a"))
    assert "status      finished after 1 steps" in capsys.readouterr().out
    page = runs.parent / "page.html"
    main_ok("show", str(runs / "a"), str(runs / "b"), "--html", str(page))
    assert "finished after 1 steps" in capsys.readouterr().out
    assert "<title>a, b</title>" in page.read_text()


@pytest.mark.paper("000-text:Learning dynamics of alignment")
def test_what_was_learned_first_is_said_where_a_suite_is_measured_by_group(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"step": s, "eval/m.accuracy[kind=a]": x, "eval/m.accuracy[kind=b]": y} for s, x, y in ((1, 0, 0), (2, 0, 1))
    ]
    rows.append({"step": 3, "eval/m.accuracy[kind=a]": 1, "eval/m.accuracy[kind=b]": 1})
    (runs / "a" / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    main_ok("show", str(runs / "a"))
    shown = capsys.readouterr().out
    assert "m.accuracy by kind, in the order of learning" in shown
    assert shown.index("b: 0 to 1, half way at step 2") < shown.index("a: 0 to 1, half way at step 3")


def test_compare_shows_runs_side_by_side(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main_ok("show", str(runs))
    shown = capsys.readouterr().out
    main_ok("compare", str(runs / "a"), str(runs / "b"))
    assert capsys.readouterr().out == shown
    assert "0.25" in shown
    assert "0.5" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "{}/c"], "c: no such folder"),
        (["show", "{}/a", "--html", "{}/nowhere/x.html"], "x.html: cannot be written (No such file or directory)"),
        (["compare", "{}/a", "{}/bb"], "{}/bb: no such folder (did you mean 'b'?)"),
        (["compare", "{}/aa", "{}/bb"], "{}/aa: no such folder (did you mean 'a'?)"),
        (["compare", "{}/a", "preference/dpo"], "preference/dpo: no such folder"),
        (["compare", "{}/a", "{}/b", "--seeds", "3", "--set", "x=1"], "so --seeds and --set would do nothing"),
    ],
)
def test_errors(arguments: list[str], said: str, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([a.replace("{}", str(runs)) for a in arguments])
    assert ended.value.code != 0
    assert said.replace("{}", str(runs)) in capsys.readouterr().err.replace("\n", " ")


def main_ok(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert not ended.value.code

"""`posttrain papers`: the index of papers on the terminal."""

from __future__ import annotations

import json

import pytest

from posttrain.catalogue.papers import counts, papers
from posttrain.cli import main as cli


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(["papers", *arguments])
    return int(caught.value.code or 0)


def test_every_paper_is_listed_with_the_counts(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert call() == 0
    out = capsys.readouterr().out
    assert not [p.key for p in papers().values() if p.key not in out or p.title not in out or p.lacks not in out]
    lines = [line.split() for line in out.splitlines()]
    for family, by_state in counts(list(papers().values())).items():
        assert [family, *map(str, by_state.values())] in lines
    assert out.endswith(f"{len(papers())} of {len(papers())} papers\n")


def test_words_are_searched_in_key_title_and_paths(capsys: pytest.CaptureFixture[str]) -> None:
    def keys(*arguments: str) -> list[str]:
        assert call(*arguments, "--json") == 0
        return [row["key"] for row in json.loads(capsys.readouterr().out)]

    assert "zhou202469n" in keys("WPO") == keys("wpo")
    assert keys("preference/wpo", "weighted") == ["zhou202469n"]
    assert keys("000:[8]") == ["000:[8]"]
    assert keys("dpo", "--state", "missing") == [
        p.key for p in papers().values() if p.state == "missing" and p.has(["dpo"])
    ]


def test_json_has_what_the_file_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["key"] for row in rows] == list(papers())
    (dpo,) = [row for row in rows if row["key"] == "rafailov20239ck"]
    assert dpo["is"][0] == "preference/dpo"
    (same,) = [row for row in rows if row["key"] == "002:DPO"]
    assert same == {**dpo, "key": "002:DPO", "same_as": "rafailov20239ck"}


def test_nothing_found_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("no such paper") == 0
    assert capsys.readouterr().out == f"0 of {len(papers())} papers\n"


def test_an_unknown_state_names_the_states(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--state", "work") == 2
    assert "works, partly, missing" in capsys.readouterr().err.replace("\n", " ")

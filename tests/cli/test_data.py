"""`posttrain data show` on files of every kind, with the tiny bundled model."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from posttrain.cli import data, main
from posttrain.core.kinds import guess
from posttrain.errors import ConfigError


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"prompt", "chosen", "rejected"}, "pairs"),
        ({"prompt", "completion", "label"}, "ratings"),
        ({"prompt", "completion"}, "demonstrations"),
        ({"messages"}, "demonstrations"),
        ({"instruction", "input", "output"}, "demonstrations"),
        ({"text"}, "text"),
        ({"prompt", "text"}, "prompts"),
        ({"prompt", "answer"}, "prompts"),
        (set(), "prompts"),
    ],
)
def test_the_kind_follows_from_the_columns(columns: set[str], kind: str) -> None:
    assert guess(columns).name == kind


def test_renames() -> None:
    assert data.renames(["prompt=question", "answer=a=b"]) == {"prompt": "question", "answer": "a=b"}
    for wrong in ("prompt", "prompt=", "=question"):
        with pytest.raises(ConfigError, match="write ours=theirs"):
            data.renames([wrong])


def called(command: str, folder: Path, rows: list[dict[str, Any]], *options: str) -> int:
    file = folder / "d.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    try:
        main.main(["data", command, str(file), "--model", "tiny", *options])
    except SystemExit as stop:
        return int(stop.code or 0)
    raise AssertionError("the command line ends with an exit code")


shown = partial(called, "show")
checked = partial(called, "check")


def test_pairs_are_two_rows_with_their_answers_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(tmp_path, [{"prompt": "2+2=", "chosen": "4", "rejected": "5"}]) == 0
    out = capsys.readouterr().out
    assert "2+2=⟦4" in out
    assert "2+2=⟦5" in out
    assert "2 rows" in out


def test_prompts_are_shown_as_they_are_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"question": f"{n}+2=", "answer": f"so #### {n + 2}"} for n in range(3)]
    assert shown(tmp_path, rows, "--column", "prompt=question", "--answer-after", "####", "--count", "1") == 0
    out = capsys.readouterr().out
    assert "0+2=" in out
    assert "1+2=" not in out
    assert "3 rows" in out
    assert "⟦" not in out


def test_a_bad_record_is_an_error_of_data_even_when_it_is_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {"prompt": "2+2=", "completion": "4"}
    assert shown(tmp_path, [good, good | {"completion": 4}], "--count", "0") == 3
    assert f"{tmp_path}/d.jsonl:2" in capsys.readouterr().err


def test_the_template_must_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(tmp_path, [{"text": "a"}], "--chat-template", str(tmp_path / "no.jinja")) == 2
    assert "chat-template" in capsys.readouterr().err


def test_a_whole_file_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"prompt": f"{n}+2=", "completion": str(n + 2)} for n in range(3)]
    assert checked(tmp_path, [*rows, rows[0]], "--max-length", "5") == 0
    out = capsys.readouterr().out
    assert "3 records" not in out
    assert "4, which become 4 rows; 0 cannot be used" in out
    assert "4 rows of more than 5 tokens; set data.truncate" in out
    assert "1 records; 0 more have the prompt" in out


def test_rows_that_cannot_be_used_are_listed_and_the_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {"prompt": "2+2=", "completion": "4"}
    assert checked(tmp_path, [good, good | {"completion": 4}, good | {"completion": ""}], "--json") == 3
    report = json.loads(capsys.readouterr().out)
    assert report["records"] == 1
    assert [message.split(": ")[0] for message in report["unusable"]] == [f"{tmp_path}/d.jsonl:{n}" for n in (2, 3)]
    assert checked(tmp_path, [good | {"completion": n} for n in range(25)]) == 3
    out = capsys.readouterr().out
    assert "0, which become 0 rows; 25 cannot be used" in out
    assert out.count("unusable:") == 20
    assert "and 5 more; --json lists all" in out


def test_a_notice_is_given_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"prompt": "2+2=", "response": "4"}, {"prompt": "2+3=", "response": ""}]
    assert checked(tmp_path, rows) == 3
    said = capsys.readouterr()
    assert said.out.count("the column 'response' is read as 'completion'") == 1
    assert said.out.count("'completion' is empty") == 1
    assert (said.err, caplog.text) == ("", "")
    caplog.clear()
    assert shown(tmp_path, rows[:1]) == 0  # which has no report
    assert caplog.text.count("the column 'response' is read as 'completion'") == 1


def test_plain_text_on_a_model_with_a_template_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = tmp_path / "chat.jinja"
    template.write_text("{% for m in messages %}{{ m['content'] }}{{ eos_token }}{% endfor %}")
    rows, chatty = [{"prompt": "2+2=", "completion": "4"}], ["--chat-template", str(template)]
    for options, noticed in ((chatty, True), ([*chatty, "--chat"], False)):
        assert checked(tmp_path, rows, "--json", *options) == 0
        notices = json.loads(capsys.readouterr().out)["notices"]
        assert any("does not go through the model's chat template" in line for line in notices) == noticed

"""`posttrain keys`: the reference of the run file, on the terminal."""

from __future__ import annotations

import json

import pytest

from posttrain.cli import main as cli
from posttrain.config.keys import keys


def call(*arguments: str, command: str = "keys") -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main([command, *arguments])
    return int(caught.value.code or 0)


def test_every_key_is_listed_with_its_type_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert call() == 0
    out = capsys.readouterr().out
    assert not [key.name for key in keys() if key.name not in out]
    assert "whole number > 0; default 64" in out
    assert "number in (0, 1]" in out


def test_json_has_what_the_reference_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("train.keep", "--json") == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["name"] == "train.keep"
    assert (entry["type"], entry["default"]) == ("whole number > 0", "2")
    assert entry["meaning"].endswith(".")


def test_a_wrong_prefix_is_an_error_of_the_run_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("sampling.slot_count") == 2
    assert "sampling.slots" in capsys.readouterr().err


def test_explain_takes_keys_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("train.learning_rate", command="explain") == 0
    assert "Peak learning rate" in capsys.readouterr().out
    assert call("lr", command="explain") == 2
    assert "'train.learning_rate'" in capsys.readouterr().err
    assert call("online/gpro", command="explain") == 2
    assert "did you mean 'online/grpo'" in capsys.readouterr().err

"""`posttrain rollout`: an episode as people read it."""

from __future__ import annotations

import json

import pytest

from posttrain.cli import main as cli
from posttrain.cli.episode import shown
from posttrain.models.loading.tiny import byte_tokenizer
from posttrain.records import Episode, Prompt, Segment
from tests.training import talk

TALK = f"{talk.__file__}:Talk"


def say(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main(list(arguments))
    assert not caught.value.code
    return capsys.readouterr().out


def test_an_episode_of_the_tiny_model(capsys: pytest.CaptureFixture[str]) -> None:
    how = ["rollout", TALK, "--model", "tiny", "--count", "2", "--max-tokens", "4", "environment.workers=1"]
    rows = [json.loads(line) for line in say(capsys, *how, "--json").splitlines()]
    assert [sum(m["role"] == "assistant" for m in r["conversation"]) for r in rows] == [1, 2]
    out = say(capsys, *how)
    assert f"environment {TALK}:1, sample 0" in out.replace("\n", "")
    assert "turn 2: 4 tokens" in out
    assert "<|user|>Say 01<|end|><|assistant|>" in out


def test_what_is_trained_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    tokenizer = byte_tokenizer()
    ids = {text: tuple(tokenizer(text)["input_ids"]) for text in ("ask", "one", "look", "all", "two")}
    turns = (
        Segment(ids["one"], (-1.0,) * 3, 0, "one", reward=0.5),
        Segment(ids["look"], None, None, "look", trained=False),
        Segment(ids["two"], (-1.0,) * 3, 0, "two", ended=False, context=ids["all"]),
    )
    e = Episode(Prompt(0, "ask"), 0, 1, ids["ask"], turns, 0.5, {"environment": 0.5}, cut="turns")
    Console(no_color=True, width=80).print(shown(e, tokenizer))
    lines = [line.strip("─ ") for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "prompt 0, sample 1",
        "ask",
        "turn 1: 3 tokens, reward 0.5",
        "⟦one⟧",
        "environment: 4 tokens",
        "look",
        "the chat template writes earlier turns otherwise",
        "all",
        "turn 2: 3 tokens, cut at the limit",
        "⟦two⟧",
        "cut at the most turns; reward 0.5, environment 0.5, 2 rows",
    ]

"""What is wrong with the data is known before a model is loaded, and no folder is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posttrain.data.chat.encode import Encoder
from posttrain.errors import ConfigError, PosttrainError
from posttrain.launch import run as launching
from posttrain.training import datasets
from tests.harness.runs import run

PAIRS = [{"prompt": f"{i}", "chosen": "a", "rejected": "b"} for i in range(4)]
PROMPTS = [{"prompt": f"{i}"} for i in range(4)]
DPO = {"model": "tiny", "method": "preference/dpo", "data": "d.jsonl"}
GRPO = {**DPO, "method": "online/grpo", "rewards": ["math_answer"]}
SFT = {**DPO, "method": "imitation/sft", "data": "arithmetic:chat=false"}
ASKED = {"role": "user", "content": "How warm?"}
CALLS = {"role": "assistant", "tool_calls": [{"type": "function", "function": {"name": "warmth", "arguments": {}}}]}
LOADED = "the model was asked for"


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launching, "load_policy", lambda *_: (_ for _ in ()).throw(ConfigError(LOADED)))


def problem(content: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    Path("d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(PosttrainError) as caught:
        run(content, Path("runs"))
    assert not list(Path("runs").glob("*"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "rows", "message"),
    [
        (DPO, PAIRS, LOADED),
        (GRPO, [{**row, "answer": "1"} for row in PROMPTS], LOADED),
        (DPO, [*PAIRS, {"prompt": "x", "chosen": "a"}], "d.jsonl:5"),
        ({**DPO, "data": "nothing.jsonl"}, PAIRS, "nothing.jsonl"),
        (GRPO, PROMPTS, "'answer' is missing; reward 'math_answer' reads it"),
        (
            {**GRPO, "data": "arithmetic", "evaluate": {"data": "d.jsonl"}},
            PROMPTS,
            "d.jsonl: 'answer' is missing; reward 'math_answer' reads it",
        ),
        ({**DPO, "evaluate": {"data": "d.jsonl", "records": "no.jsonl"}, "rewards": ["math_answer"]}, PAIRS, "answer"),
        ({**DPO, "method": {"path": "preference/dpo", "bata": 1}}, PAIRS, "reads no setting 'bata'"),
        ({**DPO, "method": "online/ppo_ptx", "rewards": ["math_answer"]}, PROMPTS, "data for pretrain is missing"),
        (DPO, [*PAIRS, {"prompt": "x", "chosen": "a" * 600, "rejected": "b"}], "d.jsonl:5: "),
        (DPO, [*PAIRS, {"prompt": "x<|end|>", "chosen": "a", "rejected": "b"}], "d.jsonl:5: the text contains the con"),
        ({**DPO, "train": {"max_length": 2}}, PAIRS, "d.jsonl:1: a row of 3 tokens"),
        ({**GRPO, "sampling": {"max_tokens": 512}}, [{**row, "answer": "1"} for row in PROMPTS], "d.jsonl:1: "),
        ({**SFT, "evaluate": {"data": "d.jsonl"}}, [{"messages": [ASKED, CALLS]}], "d.jsonl:1: "),
        ({**DPO, "method": None, "procedure": "rounds/sdpo", "data": {"pairs": "d.jsonl"}}, PROMPTS, "d.jsonl:1"),
    ],
)
def test_an_error_comes_before_the_model(content: dict[str, Any], rows: list[dict[str, Any]], message: str) -> None:
    assert message in problem(content, rows)


def test_records_are_read_and_encoded_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    encoded: list[str] = []
    rows = Encoder.rows
    monkeypatch.setattr(Encoder, "rows", lambda self, r, *how: encoded.append(r.where) or rows(self, r, *how))
    read: list[str] = []
    load = datasets.read_source
    monkeypatch.setattr(
        datasets, "read_source", lambda g, path, *a, **how: read.append(path) or load(g, path, *a, **how)
    )
    file = tmp_path / "d.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in PAIRS), encoding="utf-8")
    run({**DPO, "model": "tiny", "data": str(file), "train": {"steps": 1}}, tmp_path / "runs")
    assert read == [str(file)]
    assert encoded == [f"{file}:{n}" for n in (1, 2, 3, 4)]

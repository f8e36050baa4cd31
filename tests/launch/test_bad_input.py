"""Bad input through the command line: a message with what, where and the remedy, and the exit code of its class."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posttrain.cli import main as cli
from tests.harness.runs import SUMS

GOOD = {"model": "tiny", "method": "online/grpo", "data": SUMS, "rewards": ["exact_match"], "train": {"steps": 1}}
ROW = '{"prompt": "1+1=", "chosen": "2", "rejected": "3"}\n'


def fail(content: dict, folder: Path, capsys: pytest.CaptureFixture[str], *overrides: str) -> tuple[int, str]:
    """Exit code and message of `posttrain train` on a run file that cannot be right."""
    run_file = folder / "run.yaml"
    run_file.write_text(json.dumps({**content, "output": str(folder / "runs")}))
    short = ["sampling.max_tokens=4", "train.prompts_per_step=2"]
    with pytest.raises(SystemExit) as caught:
        cli.main(["train", str(run_file), *short, *overrides])
    return int(caught.value.code or 0), " ".join(capsys.readouterr().err.split())


@pytest.mark.fault("F1", "F2", "F5")
@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"trian": {}}, 2, ["trian", "did you mean 'train'"]),
        ({"train": {"steps": "many"}}, 2, ["train.steps", "many"]),
        ({"train": {"steps": 1, "epochs": 1.0}}, 2, ["steps", "epochs"]),
        ({"method": "preference/simop"}, 2, ["preference/simop", "did you mean 'preference/simpo'"]),
        ({"method": {"path": "online/grpo", "clip_hihg": 0.3}}, 2, ["clip_hihg", "clipped_surrogate.high"]),
        ({"method": {"path": "online/grpo", "lam": 0.9}}, 2, ["reads no setting 'lam'"]),
        ({"method": "imitation/sft"}, 2, ["samples nothing", "remove `rewards`"]),
        ({"method": "online/ppo_ptx"}, 2, ["pretrain", "is missing"]),
        ({"data": {"main": SUMS, "pretrain": SUMS}}, 2, ["no stream 'pretrain'"]),
        ({"data": "nowhere.jsonl"}, 3, ["nowhere.jsonl"]),
        ({"data": "arithmetik"}, 3, ["arithmetik", "did you mean 'arithmetic'"]),
        ({"model": "smolm2"}, 4, ["smolm2", "did you mean 'smollm2'"]),
        ({"model": "./nothing"}, 4, ["./nothing"]),
        ({"rewards": []}, 2, ["reward", "give `rewards:"]),
        ({"rewards": ["exact_macth"]}, 2, ["exact_macth", "exact_match"]),
        ({"rewards": ["./missing.py:f"]}, 2, ["missing.py"]),
        ({"sampling": {"top_p": 0.9}}, 2, ["top_p=0.9", "set top_p: 1.0"]),
        ({"sampling": {"temperature": 0}}, 2, ["sampling.temperature"]),
        ({"train": {"steps": 1, "learning_rate": {"critic": 1e-3}}}, 2, ["learning_rate", "policy"]),
        ({"device": "cuda:7"}, 2, ["cuda:7", "device: cpu"]),
        ({"procedure": "instructgpt"}, 2, ["method", "procedure"]),
    ],
    ids=lambda x: str(x)[:40],
)
def test_a_run_file_that_cannot_be_right(
    change: dict, code: int, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, message = fail(GOOD | change, tmp_path, capsys)
    assert found == code, message
    assert message.startswith("error: ")
    assert not [w for w in words if w not in message], message
    assert not list((tmp_path / "runs").glob("*/final")), "nothing may look finished"


@pytest.mark.fault("D1", "D3", "D4", "D7", "T8")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["0 examples"]),
        (ROW + '{"prompt": "1+2="\n', ["data.jsonl:2"]),
        (
            ROW + '{"prompt": "1+2=", "rejected": "4"}\n',
            ["data.jsonl:2", "'chosen' is missing", "prompt, chosen and rejected"],
        ),
        (ROW + '{"prompt": "1+2=", "chosen": 3, "rejected": "4"}\n', ["data.jsonl:2", "chosen"]),
        (ROW + '{"prompt": "1+2=", "chosen": "4", "rejected": "4"}\n', ["data.jsonl:2", "chosen"]),
        (json.dumps({"prompt": "1" * 600, "chosen": "2", "rejected": "3"}), ["data.jsonl:1", "512", "max_length"]),
    ],
    ids=["empty", "malformed", "missing column", "wrong type", "no preference", "longer than the context"],
)
def test_data_that_cannot_be_used(
    text: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data.jsonl").write_text(text)
    content = {"model": "tiny", "method": "preference/dpo", "data": str(tmp_path / "data.jsonl")}
    code, message = fail(content, tmp_path, capsys)
    assert code == 3, message
    assert not [w for w in words if w not in message], message


@pytest.mark.fault("T1")
def test_messages_need_a_chat_template(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from posttrain.models.loading.save import save
    from posttrain.models.loading.tiny import tiny_model

    network, tokenizer = tiny_model()
    tokenizer.chat_template = None
    save(network, tokenizer, tmp_path / "model")
    content = {"model": str(tmp_path / "model"), "method": "imitation/sft", "data": "arithmetic"}
    code, message = fail(content, tmp_path, capsys)
    assert code == 4
    assert "chat template" in message


@pytest.mark.fault("T10")
@pytest.mark.parametrize("role", ["reference", "reward", "critic"])
def test_models_of_one_run_read_the_same_tokens(role: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from posttrain.models.loading.save import save
    from posttrain.models.loading.tiny import tiny_model
    from tests.data.tokenizer import byte_tokenizer

    network, _ = tiny_model()
    save(network, byte_tokenizer(), tmp_path / "other")
    content = {**GOOD, "method": "online/ppo", "models": {role: str(tmp_path / "other")}}
    code, message = fail(content, tmp_path, capsys)
    assert code == 4
    assert f"models.{role}: {tmp_path / 'other'} has another tokenizer than the policy tiny" in message


@pytest.mark.fault("R1", "R2", "R4")
@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("def f(completions):\n    raise ValueError('no such unit')\n", ["'f'", "no such unit"]),
        ("def f(completions):\n    return [float('nan') for _ in completions]\n", ["'f'", "nan"]),
        ("def f(completions):\n    return [1.0]\n", ["'f'", "returned 1 values for 8"]),
        ("def f(completions):\n    import time\n    time.sleep(60)\n", ["'f'", "1 s"]),
    ],
    ids=["raises", "NaN", "wrong number", "hangs"],
)
def test_a_reward_that_fails(
    function: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text(function)
    content = GOOD | {"rewards": ["./mine.py:f"], "scoring": {"timeout": 1.0}}
    code, message = fail(content, tmp_path, capsys)
    assert code == 6, message
    assert not [w for w in words if w not in message], message


@pytest.mark.fault("T9")
def test_a_prompt_and_its_answer_must_fit_the_context(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, message = fail(GOOD, tmp_path, capsys, "sampling.max_tokens=600")
    assert code == 3
    assert "512" in message


def test_an_existing_run_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs" / "mine" / "logs").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "run.json").write_text("{}")
    (tmp_path / "runs" / "mine" / "metrics.jsonl").write_text('{"step": 1}\n')
    code, message = fail(GOOD, tmp_path, capsys, "name=mine")
    assert code == 8
    assert "--resume" in message


@pytest.mark.fault("F3")
def test_a_missing_extra_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "data.parquet").write_bytes(b"PAR1")
    content = {"model": "tiny", "method": "preference/dpo", "data": str(tmp_path / "data.parquet")}
    code, message = fail(content, tmp_path, capsys)
    assert code == 2
    assert "pip install 'posttrain[data]'" in message

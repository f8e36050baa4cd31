"""Sequence classifiers of transformers as the model of a run: trained, measured, saved; they write no answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from posttrain.cli import main as cli
from posttrain.config.load import load
from posttrain.errors import ModelError
from posttrain.launch.run import open_session
from posttrain.models.loading.tiny import byte_tokenizer
from tests.cli.test_evaluate import fail
from tests.cli.test_model import say
from tests.harness.runs import run

PAIRS = [{"prompt": f"{i}+1=", "chosen": str(i + 1), "rejected": "abc"} for i in range(4)]
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "tie_word_embeddings": False,
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("data") / "pairs.jsonl"
    file.write_text("".join(json.dumps(p) + "\n" for p in PAIRS))
    return str(file)


def classifier(folder: Path, kind: str = "llama", **settings: Any) -> Path:
    """Save a classifier with random weights and a tokenizer of bytes, as transformers does."""
    tokenizer = byte_tokenizer()
    own = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = AutoConfig.for_model(kind, **SIZES, **(own | {"num_labels": 1} | settings))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def scores(folder: Path | str) -> list[float]:
    """What plain transformers says of the answers, the chosen ones first."""
    model, report = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = [p["prompt"] + p[side] for side in ("chosen", "rejected") for p in PAIRS]
    with torch.no_grad():
        rows = [torch.tensor([[*tokenizer(t)["input_ids"], tokenizer.eos_token_id]]) for t in texts]
        return [float(model(row).logits) for row in rows]


def accuracy(found: list[float]) -> float:
    chosen, rejected = found[: len(PAIRS)], found[len(PAIRS) :]
    return sum(a > b for a, b in zip(chosen, rejected, strict=True)) / len(PAIRS)


def measured(capsys: pytest.CaptureFixture[str], folder: Path, pairs: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(say(capsys, "eval", str(folder), pairs, "--json"))
    return found


@pytest.mark.parametrize(("kind", "lora"), [("llama", False), ("mistral", True)])
def test_a_classifier_is_trained_and_saved_as_one(
    tmp_path: Path, pairs: str, kind: str, lora: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    base = classifier(tmp_path / "base", kind)
    model = {"path": str(base), "dtype": "float32"} | ({"lora": {"rank": 2}} if lora else {})
    train = {"steps": 3, "prompts_per_step": 4, "learning_rate": 1e-2}
    content = {"model": model, "method": "reward/bradley_terry", "data": pairs, "train": train}
    final = run(content, tmp_path / "runs").model
    assert final is not None
    with safe_open(final / "model.safetensors", "pt") as file:
        assert {"lm_head.weight", "score.weight"} & {*file.keys()} == {"score.weight"}  # nothing that was not trained
    before, after = scores(base), scores(final)
    margin = sum(after[:4]) - sum(after[4:])
    assert margin > sum(before[:4]) - sum(before[4:]) + 1  # it was trained
    found = measured(capsys, final, pairs)
    assert found["scores"]["score_margin"]["mean"] == pytest.approx(
        margin / 4, rel=0.01
    )  # eval may compute in bfloat16
    assert found["mean"] == accuracy(after)


def test_a_classifier_from_elsewhere_is_measured_on_pairs(
    tmp_path: Path, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    base = classifier(tmp_path)
    expected = scores(base)
    found = measured(capsys, base, pairs)
    assert found["mean"] == accuracy(expected)
    margin = sum(expected[:4]) - sum(expected[4:])
    assert found["scores"]["score_margin"]["mean"] == pytest.approx(margin / 4, rel=0.01)


def test_a_classifier_writes_nothing(tmp_path: Path, pairs: str, capsys: pytest.CaptureFixture[str]) -> None:
    base = classifier(tmp_path / "base")
    for method, data in (("preference/dpo", pairs), ("online/grpo", "arithmetic:chat=false,size=4")):
        content = {
            "model": str(base),
            "method": method,
            "data": data,
            "train": {"steps": 1},
            "sampling": {"max_tokens": 4},
        }
        content |= {"rewards": ["exact_match"]} if method == "online/grpo" else {}
        with pytest.raises(ModelError, match="is a sequence classifier without the last layer .*logp.* language model"):
            run(content, tmp_path / "runs")
    status, error = fail(capsys, "sample", str(base), "1+1=")
    assert (status, "so it cannot be sampled" in error) == (4, True)
    with pytest.raises(SystemExit):
        cli.main(["export", str(base), "--gguf", str(tmp_path / "model.gguf")])


def test_a_classifier_of_several_labels_is_no_reward_model(
    tmp_path: Path, pairs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    base = classifier(tmp_path / "base", num_labels=3)
    content = {"model": str(base), "method": "reward/bradley_terry", "data": pairs, "train": {"steps": 1}}
    with pytest.raises(ModelError, match="its score head gives 3 numbers, and the method reads 1"):
        run(content, tmp_path / "runs")
    status, error = fail(capsys, "eval", str(base), pairs)
    assert (status, "its score head gives 3 numbers" in error) == (4, True)


def test_a_classifier_whose_padding_ends_answers_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    base = classifier(tmp_path, pad_token_id=byte_tokenizer().eos_token_id)
    with open_session(load({"model": str(base)}, complete=False), write=False):
        pass
    assert "transformers reads its score before that token" in caplog.text

"""`posttrain eval`: rewards of answers, choices in pairs, losses; one model or two on the same items."""

from __future__ import annotations

import json
import math
from pathlib import Path
from statistics import fmean

import pytest

from posttrain.cli import main as cli
from posttrain.cli.decoding import reward_of
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from tests.cli.test_model import say

PAIRS = [{"prompt": f"{i}+1=", "chosen": str(i + 1), "rejected": "abc"} for i in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(*tiny_model(), tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in PAIRS))
    return str(tmp_path / "pairs.jsonl")


def fail(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as caught:
        cli.main(list(arguments))
    return int(caught.value.code or 0), " ".join(capsys.readouterr().err.split())


def test_eval_gives_a_mean_with_its_interval(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = "arithmetic:chat=false,split=test,size=20"
    asked = ("eval", str(folder), data, "--reward", "exact_match", "--max-tokens", "4", "--json")
    found = json.loads(say(capsys, *asked))
    assert found["n"] == 20
    assert found["mean"] == found["low"] == 0.0
    assert 0.1 < found["high"] < 0.2  # an untrained model is wrong 20 times in 20; Wilson does not say never


def test_eval_writes_a_record_per_prompt(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "records.jsonl"
    data = "arithmetic:chat=false,split=test,size=3"
    asked = ("eval", str(folder), data, "--reward", "exact_match", "--max-tokens", "4", "--samples", "2")
    result = json.loads(say(capsys, *asked, "--temperature", "1", "--out", str(file), "--json"))
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [len(r["answers"]) for r in records] == [2, 2, 2]
    assert len({r["prompt_id"] for r in records}) == len({r["prompt"] for r in records}) == 3
    assert sum(r["score"] for r in records) / 3 == result["mean"]
    for answer in (a for r in records for a in r["answers"]):
        assert answer["tokens"] <= 4
        assert answer["reward"] in (0.0, 1.0)


def test_answers_begin_as_they_are_forced_to(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, data = tmp_path / "records.jsonl", "arithmetic:chat=false,split=test,size=2"
    asked = ("eval", str(folder), data, "--reward", "regex_format:pattern=^Sure.*", "--max-tokens", "6")
    assert json.loads(say(capsys, *asked, "--json"))["mean"] == 0.0
    begun = json.loads(say(capsys, *asked, "--begin", "Sure", "--out", str(file), "--json"))
    assert begun["mean"] == 1.0
    texts = [a["completion"] for r in map(json.loads, file.read_text().splitlines()) for a in r["answers"]]
    assert all(text.startswith("Sure") and len(text) > 4 for text in texts)
    assert "--begin" in fail(capsys, "eval", str(folder), data, "--kind", "demonstrations", "--begin", "Sure")[1]


def test_a_file_of_records_that_cannot_be_written_is_an_error_of_storage(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["eval", str(folder), "arithmetic:size=1", "--max-tokens", "1", "--out", str(tmp_path)])
    assert caught.value.code == 8
    assert "--output" in capsys.readouterr().err


def test_several_rewards_with_settings_and_pass_at_k(capsys: pytest.CaptureFixture[str]) -> None:
    how = ("--samples", "4", "--temperature", "1", "--max-tokens", "2")
    asked = ("eval", "tiny", "arithmetic:chat=false,size=3", *how)
    either = ("--reward", "exact_match", "--reward", "regex_format:pattern=.*")
    found = json.loads(say(capsys, *asked, *either, "--json"))
    assert list(found["scores"]) == ["reward", "exact_match", "regex_format"]
    assert found["reward"] == "reward"
    assert found["scores"]["regex_format"]["mean"] == 1.0
    assert found["mean"] == pytest.approx(1 + found["scores"]["exact_match"]["mean"])
    assert not [k for k in found if k.startswith(("pass@", "maj@"))]  # the sum of two rewards is not right or wrong
    lines = say(capsys, *asked, "--reward", "regex_format:pattern=.*").splitlines()
    assert lines == [
        f"regex_format 1.0000 [{3 / (3 + 1.959964**2):.4f}, 1.0000] on 3 prompts",
        "pass@1 1.0000  pass@2 1.0000  pass@4 1.0000",
        "pass^1 1.0000  pass^2 1.0000  pass^4 1.0000",
        "maj@4 1.0000",
    ]


def test_a_reward_is_parsed_with_its_settings(tmp_path: Path) -> None:
    (tmp_path / "r.py").write_text("def r(completions, *, limit=1.0):\n    return [limit for c in completions]\n")
    made = reward_of(f"{tmp_path}/r.py:r:limit=1e-3")
    assert (made.name, made.settings) == ("r", {"limit": 1e-3})
    assert reward_of(f"{tmp_path}/r.py:r").settings == {}


def test_a_reward_model_and_a_language_model_on_pairs(
    pairs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, tokenizer = tiny_model()
    network.add_head("score", 1)
    save(network, tokenizer, tmp_path / "scorer")
    file = tmp_path / "out.jsonl"
    judged = json.loads(say(capsys, "eval", str(tmp_path / "scorer"), pairs, "--output", str(file), "--json"))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    margins = [r["chosen_score"] - r["rejected_score"] for r in rows]
    assert judged["scores"]["score_margin"]["mean"] == pytest.approx(fmean(margins))
    assert judged["reward"] == "accuracy"
    assert judged["mean"] == fmean(float(m > 0) for m in margins)
    said = json.loads(say(capsys, "eval", "tiny", pairs, "--against", str(tmp_path / "scorer"), "--json"))
    assert list(said["scores"]) == ["accuracy", "logp_margin"]
    assert list(said["difference"]) == ["accuracy"]  # margins of scores and of log-probs have no common unit
    assert said["against"]["mean"] == judged["mean"]
    assert said["difference"]["accuracy"]["mean"] == pytest.approx(said["mean"] - judged["mean"])


def test_the_loss_of_demonstrations_is_over_tokens(pairs: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("eval", "tiny", pairs, "--kind", "demonstrations", "--column", "completion=rejected")
    found = json.loads(say(capsys, *asked, "--json"))
    assert found["reward"] == "loss"
    assert found["perplexity"] == pytest.approx(math.exp(found["mean"]))
    assert found["low"] < found["mean"] < found["high"]


@pytest.mark.parametrize(("options", "code", "words"), [
    ((), 3, "'answer' is missing; reward 'math_answer' reads it"),
    (("--kind", "rankings"), 3, "completions"),
    (("--reward", "exact_macth"), 2, "exact_match"),
])  # fmt: skip
def test_what_cannot_be_measured_is_an_error_before_a_model_is_loaded(
    options: tuple[str, ...], code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "asked.jsonl").write_text('{"prompt": "1+1=", "solution": "2"}\n')
    found, message = fail(capsys, "eval", "./no-such-model", str(tmp_path / "asked.jsonl"), *options)
    assert (found, words in message) == (code, True), message


def test_answers_that_no_reward_scores_are_an_error(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.py").write_text("def silent(completions):\n    return [None for c in completions]\n")
    asked = ("eval", str(folder), "arithmetic:size=2", "--max-tokens", "1", "--reward", f"{tmp_path}/r.py:silent")
    code, message = fail(capsys, *asked)
    assert (code, "none of the answers to 2 prompts was scored" in message) == (6, True), message


@pytest.mark.paper("frick20248mv")
def test_a_report_on_a_classifier_of_another_make(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its scores are those that transformers gives, by subset, and the report is written."""
    from transformers import LlamaConfig, LlamaForSequenceClassification

    tokenizer = tiny_model()[1]
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    made = LlamaForSequenceClassification(
        LlamaConfig(vocab_size=len(tokenizer), num_labels=1, pad_token_id=tokenizer.pad_token_id, **sizes)
    )
    made.save_pretrained(tmp_path / "other")
    tokenizer.save_pretrained(tmp_path / "other")
    data, report = tmp_path / "pairs.jsonl", tmp_path / "report"
    data.write_text("".join(json.dumps({**p, "subset": f"s{i % 2}"}) + "\n" for i, p in enumerate(PAIRS)))
    out = tmp_path / "out.jsonl"
    say(capsys, "eval", str(tmp_path / "other"), str(data), "--report", str(report), "--output", str(out))
    found = json.loads((report / "report.json").read_text())
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    right = [float(r["chosen_score"] > r["rejected_score"]) for r in rows]
    assert found["accuracy"]["mean"] == fmean(right)
    assert {s: x["mean"] for s, x in found["groups"]["subset"].items()} == {
        "s0": fmean(right[::2]),
        "s1": fmean(right[1::2]),
    }
    assert "## Reliability" in (report / "report.md").read_text()
    assert (report / "figure.png").exists()


@pytest.mark.paper("frick20248mv")
def test_candidates_have_a_best_of_n_curve(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(say(capsys, "eval", "tiny", "arithmetic:chat=false,size=4", "--kind", "candidates", "--json"))
    assert found["report"]["best_of_n"]["1"] == {"own": 0.5, "perfect": 0.5}
    assert found["report"]["best_of_n"]["2"] == {"own": found["mean"], "perfect": 1.0}


@pytest.mark.parametrize(("options", "code", "words"), [
    (("--by", "subest"), 3, "did you mean"),
    (("--kind", "demonstrations", "--column", "completion=chosen", "--by", "subset"), 2, "--by is for pairs"),
])  # fmt: skip
def test_a_report_that_the_data_cannot_give(
    options: tuple[str, ...], code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pairs.jsonl").write_text(json.dumps({**PAIRS[0], "subset": "a"}) + "\n")
    found, message = fail(capsys, "eval", "./no-such-model", str(tmp_path / "pairs.jsonl"), *options)
    assert (found, words in message.lower()) == (code, True), message


@pytest.mark.paper("ramos20236pc")
def test_one_of_several_answers_is_chosen_by_one_reward_and_measured_by_another(tmp_path: Path, capsys) -> None:
    (tmp_path / "r.py").write_text(
        "def overlap(completions, reference):\n"
        "    return [len(set(c) & set(r)) / 9 for c, r in zip(completions, reference, strict=True)]\n"
        "def digits(completions):\n    return [float(sum(map(str.isdigit, c))) for c in completions]\n",
        encoding="utf-8",
    )
    asked = ("eval", "tiny", "arithmetic:level=1", "--size", "3", "--max-tokens", "4", "--temperature", "1", "--json")
    digits = f"{tmp_path}/r.py:digits"
    one = json.loads(say(capsys, *asked, "--reward", digits))
    best = json.loads(say(capsys, *asked, "--reward", digits, "--choose", "best_of_n:n=6", "--choose-by", digits))
    assert best["mean"] > one["mean"]
    voted = ("--choose", "mbr:n=3", "--choose-by", f"{tmp_path}/r.py:overlap")
    assert json.loads(say(capsys, *asked, "--reward", digits, *voted))["n"] == 3
    searched = ("--search", "self_consistency:n=3", "--samples", "2")
    assert json.loads(say(capsys, *asked, "--reward", digits, *searched))["n"] == 3

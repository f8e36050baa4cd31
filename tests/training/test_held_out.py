"""Held-out records: the numbers of the loss itself, without a trace in the training."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.config.load import load
from posttrain.errors import ConfigError, DataError
from posttrain.launch.checks import check_before_loading
from posttrain.training.held_out import losses, offline
from tests.harness import generated
from tests.harness.cases import distance, parameters
from tests.harness.runs import Interrupt, PowerCut, metrics, run, same_bits

OFFLINE = [path for path in catalogue.paths() if offline(catalogue.load(path))]


def content(folder: Path, method: str, keys: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A run of four steps on eight records, measured on three others."""
    for name, first, last in (("train", 0, 8), ("held_out", 10, 13)):
        rows = [{"prompt": f"{i}+1=", keys[0]: str(i + 1), keys[1]: "ab"} for i in range(first, last)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return {
        "model": "tiny",
        "method": method,
        "data": str(folder / "train.jsonl"),
        "evaluate": {"data": str(folder / "held_out.jsonl"), "every": 2},
        "train": {"steps": 4, "prompts_per_step": 2, "learning_rate": 1e-3, "save_every": 1},
        "name": "run",
        **more,
    }


SFT = ("imitation/sft", ("completion", "note"))
DPO = ("preference/dpo", ("chosen", "rejected"))
RM = ("reward/bradley_terry", ("chosen", "rejected"))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("path", OFFLINE)
def test_every_offline_method_measures_what_its_training_would(path: str) -> None:
    method = catalogue.load(path)
    made = generated.batches(method)
    trainer = generated.trained(method, made, generated.networks(method, made), tokens=60)[2]
    before, states, carried = parameters(trainer), dict(trainer.states), dict(trainer.carried)
    measured = losses(trainer, [made])
    assert distance(before, parameters(trainer)) == 0
    assert (trainer.states, trainer.carried) == (states, carried)
    if "seed" not in method.reads and method.passes * method.minibatches == 1:
        trained = trainer.train(made)
        measured.pop(trainer.repeated, None)
        assert {n: trained[n] for n in measured} == pytest.approx(measured, rel=1e-9, abs=1e-12)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("path", ["imitation/sft", "preference/dpo", "reward/bradley_terry", "preference/orpo"])
def test_means_are_over_all_records_however_they_are_cut(path: str) -> None:
    method = catalogue.load(path)
    made = generated.batches(method)
    trainer, whole = generated.trained(method, made, generated.networks(method, made))[2], made["main"]
    cut = [{"main": whole.select(range(4))}, {"main": whole.select(range(4, whole["rows"].count))}]
    assert losses(trainer, cut) == pytest.approx(losses(trainer, [made]))


@pytest.mark.parametrize(("method", "keys", "names"), [
    (*SFT, {"eval/loss", "eval/perplexity", "eval/entropy"}),
    (*DPO, {"eval/loss", "eval/rewards/accuracies", "eval/log_ratio/margins"}),
    (*RM, {"eval/loss", "eval/accuracy", "eval/margin"}),
])  # fmt: skip
def test_a_run_shows_them_everywhere_and_trains_as_without(
    method: str, keys: tuple[str, str], names: set[str], tmp_path: Path
) -> None:
    asked = content(tmp_path, method, keys)
    result = run(asked, tmp_path)
    assert list(result.evaluations) == ["before", "step 2", "step 4", "after"]
    last = result.evaluations["after"]
    assert names <= set(last.metrics)
    assert last.metrics == result.evaluations["step 4"].metrics
    assert [set(row) >= names for row in metrics(result)] == [False, True, False, True]
    assert metrics(result)[3]["eval/loss"] == last.metrics["eval/loss"]
    assert "eval/reward" not in last.metrics
    assert last.mean is None
    card = (result.model / "README.md").read_text()
    assert f"- after: {last}" in card
    assert "reward" not in str(last).replace("rewards/", "")
    if "eval/perplexity" in names:
        assert math.log(last.metrics["eval/perplexity"]) == pytest.approx(last.metrics["eval/loss"], rel=1e-6)
    if method == "preference/dpo":
        assert same_bits(result, run({**asked, "evaluate": None}, tmp_path / "without"))


def test_a_resumed_run_has_the_same_numbers(tmp_path: Path) -> None:
    asked = content(tmp_path, *DPO)
    whole = run(asked, tmp_path / "whole")
    with pytest.raises(Interrupt):
        run(asked, tmp_path / "cut", display=PowerCut(3))
    resumed = run(asked, tmp_path / "cut", resume=True)
    assert {n: e.metrics for n, e in resumed.evaluations.items()} == {
        n: e.metrics for n, e in whole.evaluations.items()
    }
    assert metrics(resumed) == metrics(whole)


def test_prompts_and_records_together(tmp_path: Path) -> None:
    asked = content(tmp_path, *DPO, rewards=["exact_match"], sampling={"max_tokens": 2})
    asked["evaluate"] = {"data": "arithmetic:chat=false,split=test,size=2", "records": asked["evaluate"]["data"]}
    after = run(asked, tmp_path).evaluations["after"]
    assert {"eval/reward", "eval/loss"} <= set(after.metrics)
    assert "mean reward 0 on 2 prompts; loss 0." in str(after)


@pytest.mark.fault("V3")
def test_prompts_in_place_of_records_are_refused_with_the_remedy(tmp_path: Path) -> None:
    asked = content(tmp_path, *DPO)
    (tmp_path / "held_out.jsonl").write_text('{"prompt": "1+1=", "answer": "2"}\n')
    with pytest.raises(DataError, match=r"'chosen' is missing(.|\n)*add rewards: \[...\]"):
        run(asked, tmp_path)


@pytest.mark.parametrize(("change", "words"), [
    ({"method": "online/grpo", "rewards": []}, "nothing scores the answers"),
    ({"procedure": "raft", "method": None, "data": {"prompts": "x.jsonl"}}, "nothing scores the answers"),
    ({"method": "online/grpo", "rewards": ["exact_match"], "evaluate": {"records": "x.jsonl"}}, "grpo samples answers"),
    ({"evaluate": {"data": "x.jsonl", "records": "y.jsonl"}}, "nothing scores the answers"),
    ({"evaluate": {"every": 2}}, "give data: FILE"),
])  # fmt: skip
def test_what_nothing_would_measure_is_refused_before_the_model_is_loaded(
    change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    asked = {k: v for k, v in (content(tmp_path, *DPO) | change).items() if v is not None}
    with pytest.raises(ConfigError, match=words):
        check_before_loading(load(asked))


def test_held_out_records_without_a_column_of_the_training_data_are_refused(tmp_path: Path) -> None:
    asked = content(tmp_path, "preference/sr_dpo", ("chosen", "rejected"))
    row = {"prompt": "1+1=", "chosen": "1", "rejected": "2", "margin": 0.5}
    (tmp_path / "train.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match="held-out records have no column 'margin'"):
        run(asked, tmp_path)

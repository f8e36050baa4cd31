"""The best weights by a metric, and early stopping; a resumed run ends with the same bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from posttrain.config.load import load
from posttrain.errors import ConfigError
from posttrain.launch.checks import check_before_loading
from posttrain.training.best import Best
from posttrain.training.held_out import HeldOut
from tests.harness.runs import Interrupt, PowerCut, metrics, run, same_bits, weights

LOSSES = [5.0, 4.0, 3.0, 3.5, 3.2, 2.0]  # after each step, as the evaluations see it
ASKED: dict[str, Any] = {
    "model": "tiny",
    "method": "imitation/sft",
    "data": "arithmetic:chat=false,size=8",
    "evaluate": {"data": "arithmetic:chat=false,split=test,size=2", "every": 1, "best": "loss", "patience": 2},
    "train": {"steps": 5, "prompts_per_step": 4, "learning_rate": 1e-3, "save_every": 1},
    "name": "run",
}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations see LOSSES; the last one, of what became final, is measured as it is."""

    def measure(self: HeldOut) -> dict[str, float]:
        return {"loss": LOSSES[self.run.journal.steps], "entropy": 1.0}

    monkeypatch.setattr(HeldOut, "measure", measure)


@pytest.mark.usefixtures("measured")
def test_the_best_weights_are_final_and_training_stops_when_none_are_better(tmp_path: Path) -> None:
    result = run(ASKED, tmp_path)
    assert [row["eval/loss"] for row in metrics(result)] == [4.0, 3.0, 3.5, 3.2]
    shorter = {**ASKED, "evaluate": None, "train": {**ASKED["train"], "steps": 2}}
    assert same_bits(result, run(shorter, tmp_path / "two steps"))
    card = (result.model / "README.md").read_text()
    assert "final is the weights after step 2, the best by eval/loss (3)" in card


@pytest.mark.usefixtures("measured")
def test_a_resumed_run_ends_alike(tmp_path: Path) -> None:
    whole = run(ASKED, tmp_path / "whole")
    with pytest.raises(Interrupt):
        run(ASKED, tmp_path / "cut", display=PowerCut(3))
    resumed = run(ASKED, tmp_path / "cut", resume=True)
    assert same_bits(resumed, whole)
    assert metrics(resumed) == metrics(whole)


@pytest.mark.usefixtures("measured")
def test_another_metric_is_looked_for_from_the_resumed_step_on(tmp_path: Path) -> None:
    cut = {**ASKED, "train": {**ASKED["train"], "steps": 3}}
    run(cut, tmp_path)
    other = {**ASKED["evaluate"], "mode": "max", "patience": None}
    resumed = run({**ASKED, "evaluate": other}, tmp_path, resume=True)
    whole = run({**ASKED, "evaluate": None, "train": {**ASKED["train"], "steps": 5}}, tmp_path / "whole")
    assert not same_bits(resumed, whole)
    four = run({**ASKED, "evaluate": None, "train": {**ASKED["train"], "steps": 4}}, tmp_path / "four")
    assert same_bits(resumed, four)  # 3.2 after step 4 is higher than 2.0 after step 5; 4.0 after step 1 is gone


def test_without_best_the_last_weights_are_final_and_training_is_as_with_it(tmp_path: Path) -> None:
    section = {"data": ASKED["evaluate"]["data"], "every": 1}
    asked = {**ASKED, "train": {**ASKED["train"], "steps": 2}}
    plain = run({**asked, "evaluate": section}, tmp_path / "plain")
    best = run({**asked, "evaluate": {**section, "best": "loss", "mode": "max"}}, tmp_path / "best")
    assert metrics(plain) == metrics(best)
    first = run({**ASKED, "evaluate": None, "train": {**ASKED["train"], "steps": 1}}, tmp_path / "first")
    assert same_bits(best, first)  # the loss only falls, so the highest was the first
    assert not same_bits(plain, first)
    assert weights(plain.model).keys() == weights(best.model).keys()


def seen(values: list[float], **section: Any) -> Best:
    class Learner:
        def copy(self, source: str, target: str) -> None: ...

    class Run:
        file = load({**ASKED, "evaluate": {"data": "x.jsonl", "every": 1, **section}})
        learner = Learner()

    best = Best(Run(), "policy")  # type: ignore[arg-type]
    for step, value in enumerate(values, 1):
        best.see(step, {"eval/loss": value, "eval/reward": value})
    return best


def test_losses_are_better_if_lower_and_rewards_if_higher() -> None:
    values = [2.0, 1.0, 3.0, float("nan"), 3.0]
    assert (seen(values, best="loss").step, seen(values, best="loss").waited) == (2, 3)
    assert (seen(values, best="eval/reward").step, seen(values, best="reward").waited) == (3, 2)
    assert seen(values, best="loss", mode="max").step == 3
    assert seen(values).step is None
    assert not seen(values, best="loss").exhausted
    assert seen(values, best="loss", patience=3).exhausted


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, r"'los' is not measured \(did you mean 'loss'\?\).*measures loss, perplexity, entropy"),
        ({"rewards": ["exact_match"]}, "'los' is not measured; this run measures reward$"),
    ],
    ids=["records", "prompts"],
)
def test_a_metric_that_no_evaluation_has_is_refused_before_a_model_is_loaded(
    changed: dict[str, Any], said: str, tmp_path: Path
) -> None:
    asked = {**ASKED, "model": str(tmp_path), "evaluate": {**ASKED["evaluate"], "best": "los"}, **changed}
    with pytest.raises(ConfigError, match=said):
        run(asked, tmp_path)


def test_a_metric_that_was_not_measured_after_all_is_refused_by_the_first_evaluation() -> None:
    with pytest.raises(ConfigError, match="'perplexity' is not measured; this run measures loss"):
        seen([], best="perplexity").check({"eval/loss": 1.0})


@pytest.mark.parametrize(("section", "words"), [
    ({"patience": 2, "every": 1}, "add best"),
    ({"best": "loss"}, "add every"),
])  # fmt: skip
def test_keys_that_need_each_other(section: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load({**ASKED, "evaluate": {"data": "x.jsonl", **section}})


def test_a_procedure_has_no_best_step() -> None:
    asked = {k: v for k, v in ASKED.items() if k != "method"} | {"procedure": "raft", "rewards": ["exact_match"]}
    with pytest.raises(ConfigError, match="a procedure trains several times"):
        check_before_loading(load({**asked, "data": {"prompts": "arithmetic"}}))

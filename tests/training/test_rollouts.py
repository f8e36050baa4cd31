"""Answers that are older than the weights they train: drawn one step ahead, or finished in a later step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.transforms.off_policy import WEIGHTS, corrected
from posttrain.config.load import load
from posttrain.core.plan import plan
from posttrain.errors import ConfigError
from posttrain.formulas.losses.off_policy import truncated_importance, weighed
from posttrain.launch.result import Result
from posttrain.launch.run import open_session
from tests.harness.runs import SUMS, Interrupt, PowerCut, metrics, run, same_bits

GRPO = {
    "model": "tiny",
    "method": {"path": "online/grpo", "kl.weight": 0},
    "data": SUMS,
    "rewards": ["tests.rewards.faulty:length"],
}
BRIEF = ["sampling.samples=4", "sampling.max_tokens=6", "sampling.temperature=1.5", "train.prompts_per_step=4"]
BRIEF += ["train.learning_rate=1e-2", "train.samples_every=1", "train.save_every=1"]
AHEAD, SPARE = "train.async_steps=1", "sampling.spare_prompts=4"
REPLAY = ["sampling.replay_prompts=2", "sampling.replay_steps=1"]


def grpo(folder: Path, *overrides: str, **launching: Any) -> Result:
    return run(GRPO, folder, *BRIEF, *overrides, **launching)


def samples(result: Result, step: int) -> list[str]:
    lines = (result.directory / "samples" / f"step-{step:06d}.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line)["completion"] for line in lines if line]


def ages(result: Result, name: str = "async/off_policy_steps") -> list[float]:
    return [row[name] for row in metrics(result)]


@pytest.mark.fault("W6")
def test_one_step_ahead(tmp_path: Path) -> None:
    ahead = grpo(tmp_path / "ahead", "train.steps=4", AHEAD)
    assert ages(ahead) == [0.0, 1.0, 1.0, 1.0]
    assert ages(ahead, "async/off_policy_steps_max") == [0.0, 1.0, 1.0, 1.0]
    present = grpo(tmp_path / "present", "train.steps=4")
    still = grpo(tmp_path / "still", "train.steps=4", "train.learning_rate=1e-30")
    assert samples(ahead, 1) == samples(present, 1) == samples(still, 1)
    assert samples(ahead, 2) == samples(still, 2) != samples(present, 2)  # from the weights before any step
    assert samples(ahead, 3) != samples(still, 3)


@pytest.mark.fault("W6")
def test_where_nothing_moves_nothing_is_stale(tmp_path: Path) -> None:
    still = ("train.steps=3", "train.learning_rate=1e-30")
    present, ahead = grpo(tmp_path / "present", *still), grpo(tmp_path / "ahead", *still, AHEAD)
    for a, b in zip(metrics(present), metrics(ahead), strict=True):
        assert b.pop("rollout_correction/mean_weight") == pytest.approx(1, abs=1e-5)
        assert {k: b[k] for k in a if k.startswith(("reward", "completions"))} == {
            k: a[k] for k in a if k.startswith(("reward", "completions"))
        }
        assert b["grad_norm"] == pytest.approx(a["grad_norm"], rel=1e-4)


def test_unfinished_answers_go_on_in_the_next_step(tmp_path: Path) -> None:
    made = grpo(tmp_path, "train.steps=4", SPARE, "sampling.slots=8")
    mean, most = ages(made), ages(made, "async/off_policy_steps_max")
    assert mean[0] == 0
    assert any(0 < m < x for m, x in zip(mean, most, strict=True))  # tokens of several versions in one batch
    assert max(most) <= 4
    (saved,) = (made.directory / "checkpoints" / "checkpoint-4").glob("trainer_state.json")
    underway = json.loads(saved.read_text())["state"]["rollouts"]["main"]["underway"]
    versions = [v for group in underway for answer in group["answers"] for v in answer[4]["$tuple"]]
    assert underway
    assert set(versions) <= {0, 1, 2, 3}


@pytest.mark.parametrize(
    "how", [[AHEAD], [SPARE, "sampling.slots=8"], ["train.async_steps=2", SPARE, "sampling.slots=8"]]
)
def test_a_run_that_was_cut_off_goes_on_bit_for_bit(tmp_path: Path, how: list[str]) -> None:
    whole = grpo(tmp_path / "whole", "train.steps=3", "name=a", *how)
    with pytest.raises(Interrupt):
        grpo(tmp_path / "cut", "train.steps=3", "name=a", *how, display=PowerCut(2))
    resumed = grpo(tmp_path / "cut", "train.steps=3", "name=a", *how, resume="latest")
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)


def test_answers_are_trained_on_again_and_a_cut_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """Two of four prompts, from the step before: the others are fresh, and no age is larger than it may be."""
    how = ["train.steps=2", "name=a", *REPLAY]
    whole = grpo(tmp_path / "whole", *how)
    assert [row["rollouts/replayed"] for row in metrics(whole)] == [0, 8]
    assert ages(whole, "async/off_policy_steps_max") == [0, 1]
    assert 0 < ages(whole)[1] < 1
    assert [len(samples(whole, step)) for step in (1, 2)] == [16, 8]
    assert "rollout_correction/mean_weight" in metrics(whole)[0]
    with pytest.raises(Interrupt):
        grpo(tmp_path / "cut", *how, display=PowerCut(1))
    resumed = grpo(tmp_path / "cut", *how, resume="latest")
    assert metrics(resumed) == metrics(whole)
    assert same_bits(resumed, whole)


@pytest.mark.paper("zhang2024yqu")
def test_a_method_trains_on_the_answers_that_it_chooses(tmp_path: Path) -> None:
    """Of four answers to each of four prompts, the two ends of each; the metrics describe all sixteen."""
    made = run({**GRPO, "method": {"path": "online/pf_ppo", "passes": 1}}, tmp_path, *BRIEF, "train.steps=1")
    (row,) = metrics(made)
    assert len(samples(made, 1)) == 16
    assert row["rollouts/dropped"] == 8


@pytest.mark.parametrize("path", ["online/pf_ppo", "online/dapo"])
def test_without_rewards_nobody_can_choose(tmp_path: Path, path: str) -> None:
    content = {**GRPO, "method": path, "rewards": [], "models": {"reward": "tiny"}}
    with pytest.raises(ConfigError, match="chooses answers by their rewards"):
        run(content, tmp_path, *BRIEF, "train.steps=1")


def test_a_step_needs_fresh_answers_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="replay at most 3, or raise train.prompts_per_step"):
        grpo(tmp_path, "train.steps=1", "sampling.replay_prompts=4")


def test_rewards_begin_while_answers_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from posttrain.backends.local.sampler import LocalSampler
    from posttrain.rewards.scorer import Scorer

    told: list[str] = []
    start, generate = Scorer.start, LocalSampler.generate
    monkeypatch.setattr(Scorer, "start", lambda self, rollouts: told.append("scored") or start(self, rollouts))

    def generated(self: LocalSampler, *args: Any, **settings: Any) -> Any:
        made = generate(self, *args, **settings)
        told.append("written")
        return made

    monkeypatch.setattr(LocalSampler, "generate", generated)
    grpo(tmp_path, "train.steps=1", "sampling.slots=4")
    assert told == ["scored"] * 4 + ["written"]


def test_answers_end_where_the_run_file_says(tmp_path: Path) -> None:
    free = samples(grpo(tmp_path / "free", "train.steps=1"), 1)
    string = free[0][1:3]
    cut = samples(grpo(tmp_path / "cut", "train.steps=1", f"sampling.stop=[{json.dumps(string)}]"), 1)
    assert cut == [text[: text.index(string) + 2] if string in text else text for text in free]
    assert cut[0] == free[0][:3]


def test_what_cannot_be_suspended_says_so(tmp_path: Path) -> None:
    content = {**GRPO, "method": "online/nash_md", "output": str(tmp_path)}
    with (
        open_session(load(content, [SPARE])) as session,
        pytest.raises(ConfigError, match="2 authors answer each prompt"),
    ):
        session.train("online/nash_md", session.dataset(session.run.file.data["main"], "prompts"), steps=1)


# ---- the correction


def test_the_correction_weighs_every_loss_that_reads_the_advantage() -> None:
    method = catalogue.load("online/ppo")
    assert corrected(method, None, older=False) is method
    assert corrected(method, "none", older=True) is method
    made = corrected(method, None, older=True)
    assert made.loss["policy"].part.fn is weighed
    assert made.loss["policy"].reduce is method.loss["policy"].reduce
    assert [p.fn for p in made.loss["policy"].part.walk()].count(truncated_importance) == 1
    assert made.loss["value"] == method.loss["value"]


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("path", ["online/grpo", "online/cispo", "online/vespo", "online/reinforce"])
def test_any_method_takes_any_correction(path: str, kind: str) -> None:
    made = corrected(catalogue.load(path), kind, older=False)
    (changed,) = [t for t in made.loss.values() if t.part.fn is weighed]
    assert WEIGHTS[kind] in [p.fn for p in changed.part.walk()]
    assert plan(made).trained == ("policy",)


def test_methods_without_an_advantage() -> None:
    method = catalogue.load("online/online_dpo")
    assert corrected(method, None, older=True) is method
    with pytest.raises(ConfigError, match="nothing to weight; set it to none"):
        corrected(method, "icepop", older=True)
    sft = catalogue.load("imitation/sft")
    assert corrected(sft, "tis", older=True) is sft


def test_the_cap_is_a_setting(tmp_path: Path) -> None:
    changed = {**GRPO["method"], "cap": 1e-6}  # type: ignore[dict-item]
    made = run({**GRPO, "method": changed}, tmp_path, *BRIEF, "train.steps=1", "train.rollout_correction=tis")
    (row,) = metrics(made)
    assert row["rollout_correction/mean_weight"] == pytest.approx(1e-6, rel=1e-5)

"""What each procedure is for: from round to round the embedded model earns more, and it learns from what it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from posttrain.launch import Result
from posttrain.models.embedded import embedded
from tests.procedures.running import BRIEF, collected, content, mean_reward
from tests.running import metrics, run, same_bits, weights

LONGER = {"steps": 6}


def made(name: str, folder: Path, *overrides: str, data: dict[str, str] | None = None, **settings: Any) -> Result:
    given = content(name, folder, **settings)
    given["data"] |= data or {}
    return run(given, folder / "run", *BRIEF, *overrides)


@pytest.mark.parametrize(
    ("name", "settings", "first", "last"),
    [
        ("raft", {"sft": LONGER}, "round-1", "round-3"),
        ("raft", {"sft": LONGER, "start": "base"}, "round-1", "round-3"),
        ("rest", {"grow": 2, "sft": LONGER}, "grow-1", "grow-2"),
        ("expert_iteration", {"sft": LONGER}, "round-1", "round-3"),
        ("iterative_dpo", {"dpo": LONGER}, "round-1", "round-3"),
        ("iterative_dpo", {"dpo": LONGER, "enhancer": "previous", "pairing": "between_authors"}, "round-1", "round-3"),
        ("iterative_dpo", {"dpo": LONGER, "enhancer": "hot", "reference": "round"}, "round-1", "round-3"),
        ("llama3_rounds", {"reward": LONGER, "sft": LONGER}, "round-1-compared", "round-3-compared"),
    ],
)
def test_answers_earn_more_from_round_to_round(
    name: str, settings: dict[str, Any], first: str, last: str, tmp_path: Path
) -> None:
    rounds = {} if name == "rest" else {"rounds": 3}
    directory = made(name, tmp_path, **rounds, **settings).directory
    assert mean_reward(directory, last) > mean_reward(directory, first) + 0.04


def test_rest_improves_on_fewer_and_better_answers_at_a_falling_rate(tmp_path: Path) -> None:
    result = made("rest", tmp_path, grow=1, thresholds=[0.9, 0.0, 0.5], decay=0.1, sft={"epochs": 1})
    rates = [row["learning_rate"] for row in metrics(result)]
    steps = [rates.count(pytest.approx(2e-3 * 0.1**i)) for i in range(3)]
    assert sum(steps) == len(rates)
    assert steps[0] > steps[1] > steps[2] > 0  # an epoch is shorter the fewer answers pass


def test_rest_without_a_threshold_that_anything_passes_says_so(tmp_path: Path) -> None:
    from posttrain.errors import DataError

    with pytest.raises(DataError, match="grow 1, improve 1: no answer was good enough"):
        made("rest", tmp_path, thresholds=[2.0], quantiles=False)


@pytest.mark.parametrize("name", ["raft", "expert_iteration"])
@pytest.mark.parametrize("start", ["base", "latest"])
def test_a_round_begins_where_it_should(name: str, start: str, tmp_path: Path) -> None:
    """Adam's first step moves no weight by more than the learning rate, so two rounds of one step tell."""
    result = made(name, tmp_path, rounds=2, start=start, sft={"steps": 1})
    first = embedded()[0].trunk.state_dict()
    moved = max(float((x - first[n.partition(":")[2]]).abs().max()) for n, x in weights(result.model).items())
    assert moved == pytest.approx(2e-3 if start == "base" else 4e-3, rel=0.02)


def test_star_asks_again_with_a_hint_where_it_failed_and_learns_without_it(tmp_path: Path) -> None:
    result = made("star", tmp_path, rounds=1)
    failed = {row["prompt_id"] for row in collected(result.directory, "round-1") if row["reward"] == 0}
    again = collected(result.directory, "round-1-with-hints")
    assert {row["prompt_id"] for row in again} == failed
    assert all("(The answer is" in row["prompt"] for row in again)
    assert not any("(The answer is" in row["prompt"] for row in collected(result.directory, "round-1"))


def test_star_takes_more_steps_each_round(tmp_path: Path) -> None:
    result = made("star", tmp_path, rounds=3, steps=5, growth=1.2, threshold=-1.0)
    assert len(metrics(result)) == 5 + 6 + 7


@pytest.mark.parametrize("reference", ["never", "round", "lag", 0.25])
def test_the_reference_follows_its_rule(reference: str | float, tmp_path: Path) -> None:
    """The DPO loss of a round's first step is log 2 exactly where the policy is its reference."""
    result = made("iterative_dpo", tmp_path, rounds=3, reference=reference, dpo={"steps": 2, "learning_rate": 5e-3})
    losses = [row["loss"] for row in metrics(result)][::2]
    equal = [loss == pytest.approx(0.6931472, abs=1e-6) for loss in losses]
    assert equal == [True, reference == "round", reference == "round"]


def compared(directory: Path, name: str) -> int:
    """Prompts whose answers differ in reward: each gives one pair."""
    rewards: dict[int, set[float]] = {}
    for row in collected(directory, name):
        rewards.setdefault(row["prompt_id"], set()).add(row["reward"])
    return sum(len(r) > 1 for r in rewards.values())


def test_history_is_what_a_round_learns_from(tmp_path: Path) -> None:
    for history in (True, False):
        folder = tmp_path / str(history)
        folder.mkdir()
        result = made("iterative_dpo", folder, rounds=2, history=history, dpo={"epochs": 1, "prompts_per_step": 1})
        first, second = (compared(result.directory, f"round-{n}") for n in (1, 2))
        assert first > 0 < second
        assert len(metrics(result)) == first + second + (first if history else 0)


def test_between_authors_compares_the_policy_with_its_enhancer(tmp_path: Path) -> None:
    directory = made("iterative_dpo", tmp_path, enhancer="hot", pairing="between_authors", rounds=1).directory
    assert {row["author"] for row in collected(directory, "round-1")} == {0, 1}


def test_sdpo_starts_every_stage_from_its_reference_and_a_single_one_is_dpo(tmp_path: Path) -> None:
    result = made("sdpo", tmp_path, stages=3, dpo={"steps": 2})
    assert [row["loss"] for row in metrics(result)][::2] == [pytest.approx(0.6931472, abs=1e-6)] * 3
    folder = tmp_path / "one"
    folder.mkdir()
    one = made(
        "sdpo", folder, stages=1, easy_first=False, dpo={"steps": 4, "prompts_per_step": 48, "learning_rate": 5e-4}
    )
    losses = [row["loss"] for row in metrics(one)]
    assert losses[0] == pytest.approx(0.6931472, abs=1e-6)
    assert losses[-1] < losses[0]


def test_spin_prefers_the_demonstrations_to_its_own_answers(tmp_path: Path) -> None:
    result = made("spin", tmp_path, rounds=2, dpo={"steps": 12, "learning_rate": 5e-3})
    rows = metrics(result)
    assert rows[11]["loss"] < rows[0]["loss"] == pytest.approx(0.6931472, abs=1e-6)
    assert rows[11]["rewards/accuracies"] > 0.9
    assert {row["reward"] for row in collected(result.directory, "round-1")} == {None}


def test_dice_scores_with_its_own_log_ratio(tmp_path: Path) -> None:
    result = made("dice", tmp_path, rounds=1)
    rewards = [row["reward"] for row in collected(result.directory, "round-1")]
    assert len(set(rewards)) > len(rewards) / 2  # a log-ratio differs from answer to answer
    assert any(r > 0 for r in rewards)


def test_the_average_of_two_models_lies_between_them(tmp_path: Path) -> None:
    """With rates [1, 1] both models are the same, and so is their average."""
    common = {"rounds": 1, "sft": {"steps": 1}, "dpo": {"steps": 2}, "reward": {"steps": 1}}
    for name, rates in (("one", [1.0]), ("two", [1.0, 1.0])):
        (tmp_path / name).mkdir()
        common[name] = made("llama3_rounds", tmp_path / name, **{k: common[k] for k in list(common)[:4]}, rates=rates)
    one, two = weights(common["one"].model), weights(common["two"].model)
    assert all(float((one[n] - two[n]).abs().max()) < 2e-3 for n in one)
    assert not same_bits(common["one"], common["two"])  # the second model was dealt the pairs in another order

"""Methods that compare records or answers get enough of them, or an error before a model is loaded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from posttrain.catalogue import index as catalogue
from posttrain.config.load import load
from posttrain.core.method import Method, variant
from posttrain.errors import ConfigError, DataError
from posttrain.launch.checks import check_before_loading
from posttrain.training import stage
from posttrain.training.enough import check_answers
from posttrain.viewer.display import Display
from tests.harness import generated
from tests.harness.recorder import of_role
from tests.harness.runs import metrics, run


def kto(folder: Path, records: int, per_step: int) -> dict:
    rows = [{"prompt": f"{i}+1=", "completion": str(i + 1), "label": i % 2 == 0} for i in range(records)]
    (folder / "k.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    train = {"epochs": 1, "prompts_per_step": per_step, "learning_rate": 1e-3}
    return {"model": "tiny", "method": "preference/kto", "data": str(folder / "k.jsonl"), "train": train, "name": "run"}


@pytest.mark.fault("V1")
def test_one_record_a_step_is_refused_where_answers_are_compared(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 2: train.prompts_per_step=2"):
        check_before_loading(load(kto(tmp_path, 4, 1)))
    check_before_loading(load(kto(tmp_path, 4, 2)))


def test_the_rest_of_an_epoch_is_never_one_record(tmp_path: Path) -> None:
    rows = metrics(run(kto(tmp_path, 5, 2), tmp_path))
    assert [row["epoch"] for row in rows] == [0.4, 1.0]


def test_too_few_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least 2 of them, and there is 1"):
        run(kto(tmp_path, 1, 2), tmp_path)


def test_every_method_with_a_view_of_its_batch_says_how_many_records_it_needs() -> None:
    for path in catalogue.paths():
        method = catalogue.load(path)
        if any(stream.view is not None for stream in method.streams.values()):
            assert method.least_records > 1, path


# ---- answers to a prompt


def with_samples(method: Method, samples: int) -> Method:
    changed = {n: tuple(replace(a, samples=samples) for a in s.sampling) for n, s in method.streams.items()}
    return variant(method, streams={n: replace(s, sampling=changed[n]) for n, s in method.streams.items()})


def policy_gradient(method: Method, seed: int) -> torch.Tensor:
    """The gradient of the policy for random rewards. Half of the costs are below 0, and violate nothing."""
    made = generated.batches(method)
    rewards = torch.rand(made["main"]["rows"].count, generator=torch.Generator().manual_seed(seed))
    drawn = {n: x for n, x in {"reward": rewards, "cost": rewards - 0.5}.items() if n in method.columns}
    made["main"] = made["main"].add(drawn, dict.fromkeys(drawn, "B"))
    _, learner, _ = generated.trained(method, made, generated.networks(method, made))
    return torch.cat([g.flatten() for g in of_role(learner.gradients[0], "policy").values()])


METHODS = {path: catalogue.load(path) for path in catalogue.paths()}
REWARDS = {"reward", "cost"}  # where others make theirs of what models say, as does RED
SAMPLED = [
    p for p, m in METHODS.items() if m.streams["main"].kind.sampled and REWARDS & set(m.columns) and m.name != "red"
]


@pytest.mark.parametrize("path", SAMPLED)
def test_one_answer_is_refused_exactly_where_the_rewards_would_teach_nothing(path: str) -> None:
    method = with_samples(catalogue.load(path), 1)
    blind = torch.equal(policy_gradient(method, 1), policy_gradient(method, 2))
    authors = method.streams["main"].sampling
    if not blind:
        check_answers(method, authors)
        return
    with pytest.raises(ConfigError, match="needs at least 2"):
        check_answers(method, authors)
    enough = with_samples(method, 2)
    check_answers(enough, enough.streams["main"].sampling)
    assert not torch.equal(policy_gradient(enough, 1), policy_gradient(enough, 2))


@pytest.mark.fault("V2")
@pytest.mark.parametrize("method", ["online/grpo", "online/rloo", "online/dr_grpo"])
def test_a_run_with_one_answer_is_refused_before_the_model_is_loaded(method: str) -> None:
    asked = {"model": "tiny", "method": method, "data": "arithmetic", "rewards": ["exact_match"]}
    with pytest.raises(ConfigError, match="sampling.samples=1.*needs at least 2"):
        check_before_loading(load({**asked, "sampling": {"samples": 1}}))
    check_before_loading(load(asked))


class Notes(Display):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize(("method", "told"), [("online/grpo", 1), ("online/reinforce", 0)])
def test_rewards_that_never_differ_are_told_once(
    method: str, told: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "EQUAL", 2)
    asked = {
        "model": "tiny",
        "method": method,
        "data": "arithmetic:chat=false,size=4",
        "rewards": ["exact_match"],
        "sampling": {"max_tokens": 1, "samples": 2},
        "train": {"steps": 4, "prompts_per_step": 2, "learning_rate": 1e-6},
        "name": "run",
    }
    display = Notes()
    run(asked, tmp_path, display=display)
    assert sum("same reward" in note for note in display.notes) == told

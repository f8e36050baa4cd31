"""An ensemble is trained, saved, and read as one score by a method that knows nothing of members."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from posttrain.config.load import load
from posttrain.core.maths.members import AGGREGATES
from posttrain.core.parts import PerRow, PerRowMany, part
from posttrain.core.rows import Rows
from posttrain.errors import ModelError
from posttrain.launch.run import open_session
from posttrain.models.loading.load import load as load_model
from posttrain.records import Demonstration
from posttrain.training.role_rewards import model_score
from tests.harness.runs import metrics, run
from tests.training.test_role_rewards import ASKED, PAIRS


def member(member_scores: PerRowMany, *, number: int) -> PerRow:
    return member_scores[:, number]


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("ensemble")
    (folder / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in PAIRS))
    method = {"path": "reward/ensemble", "member_scores.size": 3}
    train = {"steps": 2, "prompts_per_step": 4}
    result = run({"model": "tiny", "method": method, "data": str(folder / "pairs.jsonl"), "train": train}, folder)
    assert metrics(result)[-1]["disagreement"] > 0
    return str(result.model)


@pytest.mark.paper("000:[25]")
@pytest.mark.parametrize("by", AGGREGATES)
def test_the_score_of_a_role_is_the_aggregate_of_its_members(by: str, ensemble: str) -> None:
    role = {"path": ensemble, "ensemble": {"by": by, "weight": 0.5}}
    with open_session(load({"model": "tiny", "models": {"reward": role}}, complete=False), write=False) as session:
        answers = [Demonstration(i, p["prompt"], p["rejected"]) for i, p in enumerate(PAIRS)]
        found = session.measure("score", answers, model_score)
        members = torch.tensor([session.measure(f"{m}", answers, part(member, number=m)) for m in range(3)]).T
        assert found == pytest.approx(AGGREGATES[by](members, 0.5).tolist(), abs=1e-6)


def test_grpo_is_rewarded_by_it(ensemble: str, tmp_path: Path) -> None:
    result = run({**ASKED, "models": {"reward": {"path": ensemble, "ensemble": {}}}}, tmp_path)
    assert all(row["reward"] != 0 for row in metrics(result))


def test_without_a_word_the_score_is_the_mean(ensemble: str) -> None:
    found = load_model(ensemble).network
    tokens = torch.arange(10, 15)
    rows = Rows(torch.zeros_like(tokens), torch.ones(5, dtype=torch.bool), 1)
    outputs = found.outputs(tokens, rows, ["score", "scores"])
    assert outputs["score"].item() == pytest.approx(outputs["scores"].mean().item(), abs=1e-6)


@pytest.mark.parametrize(("method", "scores"), [("reward/ensemble", "4 scores"), ("reward/bradley_terry", "1 score;")])
def test_members_are_as_many_as_the_scores_that_the_method_reads(method: str, scores: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in PAIRS))
    model = {"path": "tiny", "lora": {"rank": 2, "members": 2}}
    with pytest.raises(ModelError, match=f"lora.members is 2 and the method reads {scores}"):
        run({"model": model, "method": method, "data": str(tmp_path / "pairs.jsonl")}, tmp_path)

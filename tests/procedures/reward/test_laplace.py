"""What a reward model knows of its last layer: from the procedure to the score that a policy is trained on."""

import json

import pytest
import torch

from posttrain.config.load import load
from posttrain.errors import ModelError
from posttrain.launch.run import open_session
from posttrain.records import Demonstration
from posttrain.training.role_rewards import model_score
from tests.harness.runs import metrics, run
from tests.training.test_role_rewards import ASKED, PAIRS

pytestmark = pytest.mark.paper("000:[7]")


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("laplace")
    (folder / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in PAIRS))
    data, train = {"pairs": str(folder / "pairs.jsonl")}, {"steps": 1, "prompts_per_step": 4}
    made = run(
        {"model": "tiny", "procedure": {"path": "reward/laplace", "ridge": 0.5}, "data": data, "train": train}, folder
    )
    return str(made.model)


def measured(folder, weight):
    """Scores of answers like those that were learned from and of one far from them, and their states."""
    answers = [Demonstration(i, p["prompt"], p["chosen"]) for i, p in enumerate(PAIRS)]
    answers.append(Demonstration(9, "zzz", "QQQQQQQQ"))
    role = {"path": folder, "ensemble": {"by": "posterior", "weight": weight}}
    with open_session(load({"model": "tiny", "models": {"reward": role}}, complete=False), write=False) as session:
        states = torch.tensor(session.embed("states", answers, role="reward"))
        head = session.run.learner.models["reward"].heads["doubt"].weight.detach()
        return torch.tensor(session.measure("scores", answers, model_score)), states, head


def test_the_score_is_lower_by_its_deviation_and_without_caution_it_is_the_model(known):
    plain, states, head = measured(known, 0.0)
    cautious = measured(known, 2.0)[0]
    variance = ((states @ head.T) ** 2).sum(1)
    torch.testing.assert_close(plain - cautious, 2 * variance.sqrt(), rtol=1e-3, atol=1e-4)
    precision = torch.linalg.inv((head.T @ head).double())
    assert torch.linalg.eigvalsh(precision).min() > 0.49  # the prior is its smallest value


def test_policies_are_trained_on_it_and_by_the_adversary(known, tmp_path):
    for name, method, role in (
        ("grpo", ASKED["method"], {"path": known, "ensemble": {"by": "posterior"}}),
        ("advpo", {"path": "online/advpo", "radius": 0.5}, known),
    ):
        rows = metrics(run({**ASKED, "method": method, "models": {"reward": role}}, tmp_path / name))
        assert len(rows) == 2


def test_a_model_without_the_head_is_refused(tmp_path):
    role = {"path": "tiny", "ensemble": {"by": "posterior"}}
    with pytest.raises(ModelError, match="reads the head doubt, which procedure: reward/laplace adds"):
        run({**ASKED, "models": {"reward": role}}, tmp_path)
    with pytest.raises(ModelError, match="no doubt head.*procedure: reward/laplace"):
        run({**ASKED, "method": "online/advpo", "models": {"reward": bare(tmp_path)}}, tmp_path)


def bare(folder):
    (folder / "pairs.jsonl").write_text("".join(json.dumps(p) + "\n" for p in PAIRS))
    train = {"steps": 1, "prompts_per_step": 4}
    asked = {"model": "tiny", "method": "reward/bradley_terry", "data": str(folder / "pairs.jsonl"), "train": train}
    return str(run(asked, folder / "bare").model)

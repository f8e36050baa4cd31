import json
from pathlib import Path

import pytest
import torch

from posttrain.catalogue.index import load
from tests.harness.enumerated import Exact, Tabular, batch, every_group
from tests.harness.numbers import step
from tests.harness.runs import SHORT, metrics, run
from tests.methods.golden.sequence import valued
from tests.methods.online.group import group

pytestmark = pytest.mark.paper("000-text:Bandit NMT")

RECIPE = Path(__file__).parents[3] / "recipes" / "smollm2_bandit_nmt.yaml"
A2C, REINFORCE = load("online/a2c"), load("online/reinforce")


def test_a_critic_that_says_nothing_is_reinforce_without_baseline():
    assert step(A2C, *group()).gradient("logp") == step(REINFORCE, *group()).gradient("logp")


def test_a_critic_that_is_right_teaches_the_policy_nothing():
    one = step(A2C, valued(2.0, 2.0, 2.0))
    assert one.gradient("logp")[0] == [0, 0]
    assert one.gradient("value")[0] == [0, 0]


def test_the_gradient_is_exact_whatever_the_critic_says():
    """The value of a prefix does not depend on the token that follows it."""
    model, critic = Tabular(seed=1), Tabular(seed=2)
    reward = torch.randn(len(model.answers), generator=torch.Generator().manual_seed(3))
    critic.values.data = torch.randn(len(critic.values), generator=torch.Generator().manual_seed(4))
    made = batch(model, every_group(model, 1), reward=reward)
    got = Exact(A2C, {"policy": model, "critic": critic}, {"main": made}).step({"main": made}, model.distribution())
    exact = torch.autograd.grad((model.logp().exp() * reward).sum(), model.logits)[0]
    assert torch.allclose(got, -exact, atol=1e-12)
    assert exact.norm() > 0.1


def test_it_learns_from_ratings_that_are_coarse_and_noisy(tmp_path):
    """The recipe with the embedded model: what is trained on are stars."""
    torch.set_default_dtype(torch.float32)  # the fixture puts it back
    brief = [f"{k}={v}" for k, v in SHORT.items()]
    done = run(RECIPE, tmp_path, *brief, "model=tiny", f"data.path={RECIPE.parent}/translations.jsonl", "train.steps=2")
    assert all(x["rewards/gleu/mean"] >= 0 and "value/explained_var" in x for x in metrics(done))
    samples = (done.directory / "samples" / "step-000001.jsonl").read_text().splitlines()
    assert {json.loads(line)["reward"] for line in samples} <= {0.0, 0.25, 0.5, 0.75, 1.0}

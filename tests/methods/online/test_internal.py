"""Rewards that the policy gives itself make it sure, whether it is right or not."""

import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import variant
from tests.harness.enumerated import Exact, Tabular, batch, every_group
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("zhang2025d44")

PATHS = ["online/self_certainty", "online/token_entropy", "online/trajectory_entropy"]


class Sure(Tabular):
    """Tells its distance from the uniform distribution, too."""

    def outputs(self, tokens, rows, names, **given):
        made = super().outputs(tokens, rows, [n if n != "certainty" else "logits" for n in names], **given)
        if "certainty" in names:
            made["certainty"] = -made["logits"].log_softmax(-1).mean(-1) - math.log(self.vocabulary)
        return {n: made[n] for n in names}


def trained(path, policy, steps, rate=0.1):
    """The distribution after each of some steps on the exact expectation."""
    method = variant(configure(load(path), {"kl.weight": 0.0}), metrics={})
    groups = every_group(policy, 2)
    made = batch(policy, groups)
    run = Exact(method, {"policy": policy}, {"main": made}, rate)
    found = [policy.distribution()]
    for _ in range(steps):
        run.step({"main": made}, policy.distribution()[torch.tensor(groups)].prod(1))
        found.append(policy.distribution())
    return torch.stack(found)


@pytest.mark.parametrize("path", PATHS)
def test_the_entropy_falls(path):
    distributions = trained(path, Sure(3, 2, seed=1, ends=False), 24)
    entropies = -(distributions * distributions.log()).sum(1)[::6]
    assert (entropies.diff() < 0).all()
    assert entropies[-1] < 0.75 * entropies[0]


def test_accuracy_rises_and_then_falls():
    """The paper's failure, on two questions: the likeliest answer to a common one is right, that to a rare one wrong.

    The first is learned soon, the second is lost for good, and accuracy ends below where it began.
    """
    common, rare = (Sure(2, 1, ends=False) for _ in range(2))
    common.logits.data[0, 0], rare.logits.data[0, 0] = 0.4, -0.05
    path = "online/trajectory_entropy"
    accuracy = (trained(path, common, 40, rate=0.18)[:, 0] + trained(path, rare, 40, rate=0.06)[:, 0]) / 2
    best = int(accuracy.argmax())
    assert accuracy[best] > accuracy[0] + 0.05
    assert accuracy[-1] < accuracy[0] - 0.03
    assert 0 < best < 40
    assert accuracy[best:].diff().max() < 0


def test_a_reward_of_the_run_changes_nothing():
    same = {n: [-1.0] for n in ("ref_logp", "rollout_logp")}
    made = [
        [answer(logp=[x], old_logp=[x], group=0, reward=r, **same) for x, r in ((-1.0, a), (-2.0, b))]
        for a, b in ((0.0, 1.0), (5.0, 2.0))
    ]
    one, other = (step(load("online/trajectory_entropy"), *m).value("advantage") for m in made)
    assert one == other
    assert one[0][0] > 0 > one[1][0]


def test_what_is_certain_of_a_known_distribution():
    """p = (0.7, 0.2, 0.1): self-certainty 0.324287, entropy 0.801819."""
    model = Sure(3, 1, ends=False)
    model.logits.data[0] = torch.tensor([0.7, 0.2, 0.1]).log()
    made = batch(model, [(0,)])
    found = model.outputs(made["tokens"], made["rows"], ["certainty", "entropy"])
    found = {n: x.detach() for n, x in found.items()}
    assert float(found["certainty"][1]) == pytest.approx(0.324287, abs=1e-6)
    assert float(found["entropy"][1]) == pytest.approx(0.801819, abs=1e-6)

import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import variant
from posttrain.core.rows import Rows
from posttrain.data.collate import collate
from posttrain.formulas.credit.logged import behaviour_ratio, logged_error, logged_return
from posttrain.formulas.losses.values import corrected_error, expectation_error
from posttrain.records import Row
from tests.harness.enumerated import Exact, Tabular
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("000:[90]")

BPG, REINFORCE = load("offline/bpg"), load("online/reinforce")
POLICY = variant(BPG, loss={"policy": BPG.loss["policy"]}, fields={"behaviour_logp": BPG.fields["behaviour_logp"]})
ROWS = Rows(torch.zeros(4, dtype=torch.long), torch.tensor([False, True, True, True]), 1)


def tokens(*numbers):
    """Numbers of three tokens behind a prompt."""
    return torch.tensor([9.0, *numbers])


def test_golden_weights():
    ratio = behaviour_ratio(tokens(-1.0, -1.0, -1.0), tokens(-1.0, -1.5, -9.0), cap=5.0)
    assert ratio[1:].tolist() == pytest.approx([1, math.exp(0.5), 5])


def test_golden_return():
    """Backwards: G_3 = 1, G_2 = 0 + 0.5 (0.25 0.3 + 0.75 2 1), G_1 = 0.2 + 0.5 (0.25 0.4 + 0.75 3 G_2)."""
    g = logged_return(tokens(0.2, 0, 1), tokens(0.5, 0.4, 0.3), tokens(7, 3, 2), ROWS, gamma=0.5, lam=0.75)
    second = 0.5 * (0.25 * 0.3 + 0.75 * 2 * 1)
    assert g[1:].tolist() == pytest.approx([0.2 + 0.5 * (0.25 * 0.4 + 0.75 * 3 * second), second, 1])


def test_golden_error_and_its_correction():
    assert logged_error(tokens(1, 2, 3), tokens(2, 2, 1), tokens(2, 1, 0.5))[1:].tolist() == [2, 0, -1]
    value, returns, w = (torch.tensor([x], requires_grad=True) for x in (0.5, 2.0, 0.3))
    corrected_error(value, returns, torch.tensor([2.0]), (returns - value) * 2, w).backward()
    assert (float(value.grad), float(returns.grad), w.grad) == (pytest.approx(-3), pytest.approx(0.6), None)
    error = (returns - value) * 2
    loss = expectation_error(w, error)
    assert loss.item() == pytest.approx(0.5 * 2.7**2)
    loss.backward()
    assert float(w.grad) == pytest.approx(-2.7)


def test_golden_a_batch():
    """ρ = 2, 1/2: G_2 = 1, G_1 = 0.5 0.4 + 0.5 1/2 1 = 0.45; advantages 2 (0.45 - 0.1) and 1/2 (1 - 0.4)."""
    two = math.log(2)
    one = step(
        POLICY,
        answer(
            logp=[-1.0, -1.0], old_logp=[-1.0, -1.0], behaviour_logp=[-1 - two, -1 + two],
            old_value=[0.1, 0.4], reward=1.0,
        ),
    )  # fmt: skip
    assert one.value("returns")[0] == pytest.approx([0.45, 1])
    assert one.value("advantage")[0] == pytest.approx([0.7, 0.3])
    assert one.gradient("logp")[0] == pytest.approx([-0.7, -0.3])


def test_on_the_policys_own_answers_it_is_reinforce():
    same = {n: [-1.0, -1.0] for n in ("logp", "old_logp", "behaviour_logp", "rollout_logp")}
    one = answer(**same, old_value=[0.0, 0.0], reward=1.5)
    mine = step(configure(POLICY, {"lam": 1.0}), one)
    assert mine.gradient("logp") == step(REINFORCE, one).gradient("logp")


@pytest.mark.parametrize("corrected", [True, False])
def test_a_log_that_prefers_the_bad_arm_misleads_without_weights(corrected):
    """Arms that pay 0.5 and 1; the log has nine of the first for one of the second, the policy is indifferent."""
    half = math.log(0.5)
    log = {0: math.log(0.9), 1: math.log(0.1)} if corrected else {0: half, 1: half}
    arms = [0] * 9 + [1]
    rows = [
        answer(logp=[half], old_logp=[half], behaviour_logp=[log[a]], old_value=[0.0], reward=(0.5, 1.0)[a])
        for a in arms
    ]
    push = [-g[0] for g in step(POLICY, *rows).gradient("logp")]
    bad, good = sum(push[:9]), push[9]
    assert (good > bad) == corrected


def test_the_gradient_is_that_of_what_the_policy_would_earn_from_where_the_log_goes():
    """d/dπ of Σ_t Σ_s q(s) Σ_a π(a|s) Q(s, a) at fixed Q, by every answer of the log, weighted by q."""
    policy, log, critic = Tabular(seed=1, ends=False), Tabular(seed=2, ends=False), Tabular(seed=3, ends=False)
    reward = torch.randn(len(policy.answers), generator=torch.Generator().manual_seed(4))
    rows = []
    for n, y in enumerate(policy.answers):
        mask, columns = (False, *(True for _ in y)), {"reward": float(reward[n])}
        rows.append(Row(n, (policy.vocabulary + n, *y), mask, mask, columns))
    made = collate(rows)
    models = {"policy": policy, "reference": log, "critic": critic}
    method = configure(POLICY, {"lam": 1.0, "cap": 1e6})
    got = Exact(method, models, {"main": made}).step({"main": made}, log.distribution())
    mine, theirs = policy.logits.log_softmax(-1), log.logits.detach().log_softmax(-1)
    value = torch.zeros(())
    for n, y in enumerate(policy.answers):
        for t in range(len(y)):
            before = sum(theirs[policy.place[y[:k]], y[k]] for k in range(t))
            after = sum(mine[policy.place[y[:k]], y[k]] for k in range(t + 1, len(y)))
            chance = torch.as_tensor(before + after).exp().detach() * mine[policy.place[y[:t]], y[t]].exp()
            value = value + chance * reward[n]
    exact = torch.autograd.grad(value, policy.logits)[0]
    assert exact.norm() > 0.1
    assert torch.allclose(got, -exact, atol=1e-10)

import math

import pytest
import torch

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.kinds import kind
from posttrain.core.method import Method, variant
from posttrain.core.plan import plan
from posttrain.core.rows import Rows
from posttrain.formulas.losses.values import conservative, expectile, one_step_error, taken
from tests.harness.numbers import answer, step

pytestmark = pytest.mark.paper("000:[89]")

ILQL = load("offline/ilql")
TOKENS = torch.tensor([2, 1, 0])  # a prompt token and the two of an answer
ROWS = Rows(torch.zeros(3, dtype=torch.long), torch.tensor([False, True, True]), 1)
Q = torch.tensor([[9.0, 9.0, 9.0], [0.5, 1.5, -1.0], [2.0, 0.0, 0.0]])


def test_golden_error_of_one_step():
    """The first token earns what comes after it, the last its reward and nothing more."""
    value, reward = torch.tensor([7.0, 0.4, 1.2]), torch.tensor([0.0, 0.0, 3.0])
    errors = one_step_error(taken(Q, TOKENS), value, reward, ROWS, gamma=0.5)
    assert errors[1:].tolist() == pytest.approx([(0.6 - 1.5) ** 2, (3 - 2) ** 2])


def test_golden_expectile():
    value = torch.tensor([0.0, 1.0, 1.0], requires_grad=True)
    q, other = torch.tensor([0.0, 3.0, 0.5]), torch.tensor([0.0, 4.0, 9.0])
    losses = expectile(value, q, other, tau=0.8)
    assert losses.tolist() == pytest.approx([0, 0.8 * 4, 0.2 * 0.25])
    losses.sum().backward()
    assert value.grad.tolist() == pytest.approx([0, -0.8 * 4, 0.2])
    assert expectile(value, other, q, tau=0.8).tolist() == pytest.approx(losses.tolist())


def test_golden_conservative():
    total = sum(math.exp(x) for x in (0.5, 1.5, -1.0))
    assert float(conservative(Q, TOKENS)[1]) == pytest.approx(math.log(total) - 1.5)


@pytest.mark.parametrize(("tau", "rests"), [(0.5, 0.25), (0.9, 0.75), (0.999, 0.997)])
def test_the_value_rests_at_the_expectile(tau, rests):
    """Of outcomes 1 with probability 1/4, else 0: τ p (1 - v) = (1 - τ)(1 - p) v."""
    value = torch.tensor([rests] * 4, requires_grad=True)
    outcome = torch.tensor([1.0, 0.0, 0.0, 0.0])
    expectile(value, outcome, outcome, tau=tau).sum().backward()
    assert float(value.grad.sum()) == pytest.approx(0, abs=4e-3)


def test_without_its_q_functions_it_is_fine_tuning():
    only: Method = variant(ILQL, loss={"loss": ILQL.loss["imitation"]}, derived={}, averages={}, fields={})
    rows = [answer(logp=[-1.0, -3.0]), answer(logp=[-2.0])]
    assert step(only, *rows).gradient("logp") == step(load("imitation/sft"), *rows).gradient("logp")


def test_the_targets_follow_and_are_not_trained():
    made = plan(ILQL, {"main": kind("demonstrations").tensors | {"reward"}})
    assert made.trained == ("critic", "policy", "q1", "q2")
    assert configure(ILQL, {"tau": 0.5}) != ILQL


def stitched(tau):
    """A chain of two choices. The data holds (0, 1) worth 0, (1, 0) worth 0 and (1, 1) worth 1 rarely; after a first 1
    most answers go wrong, so the mean of a 1 is low. Exact Q-learning on the data's tokens, many sweeps."""
    paths = [((0, 1), 0.3, 60), ((1, 0), 0.0, 35), ((1, 1), 1.0, 5)]
    q = {"": torch.zeros(2), "0": torch.zeros(2), "1": torch.zeros(2)}
    value = dict.fromkeys(q, 0.0)
    for _ in range(3000):
        drift = dict.fromkeys(q, 0.0)
        for (a, b), reward, count in paths:
            q[""][a] += 0.02 * (value[str(a)] - q[""][a])
            q[str(a)][b] += 0.02 * (reward - q[str(a)][b])
            for state, action in (("", a), (str(a), b)):
                v = torch.tensor(value[state], requires_grad=True)
                expectile(v, q[state][action], q[state][action], tau=tau).backward()
                drift[state] -= 0.002 * count * float(v.grad)
        value = {s: v + drift[s] for s, v in value.items()}
    return q[""]


def test_a_high_expectile_finds_the_path_that_the_average_misses():
    patient, average = stitched(0.98), stitched(0.5)
    assert patient[1] > patient[0]
    assert average[1] < average[0]

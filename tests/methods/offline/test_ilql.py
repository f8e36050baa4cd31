import math

import pytest
import torch

from posttrain.backends.local.learner import LocalLearner
from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.kinds import kind
from posttrain.core.method import Average, Method, variant
from posttrain.core.plan import plan
from posttrain.core.rows import Rows
from posttrain.formulas.losses.values import conservative, expectile, one_step_error, taken
from posttrain.sampling.decoders.ilql import ilql
from posttrain.training.trainer import Trainer
from tests.harness.enumerated import Tabular, batch
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


class Table(Tabular):
    """Q-values by prefix, which are no log-probs, with numbers for prompt tokens that nothing follows."""

    def outputs(self, tokens, rows, names, **_):
        prefix, _ = self._prefixes(tokens, rows)
        return {"logits": torch.nn.functional.pad(self.logits[prefix], (0, len(CHAIN)))}


CHAIN = [(0, 1)] * 6 + [(1, 0)] * 3 + [(1, 1)]  # most answers go wrong after a first 1, and the rest are the best
REWARD = {(0, 1): 0.3, (1, 0): 0.0, (1, 1): 1.0}


def trained(tau, steps=160, decay=0.8):
    """ILQL of tables on the chain until it rests, without the conservative loss, which has no table of its own."""
    method = configure(ILQL, {"tau": tau, "gamma": 0.9, "conservative1.weight": 0.0, "conservative2.weight": 0.0})
    method = variant(method, averages={name: Average(of.of, decay) for name, of in ILQL.averages.items()})
    models = {n: (Table if n[0] == "q" else Tabular)(2, 2, ends=False) for n in ("policy", "q1", "q2", "critic")}
    answers = models["policy"].answers
    data = batch(models["policy"], [[answers.index(a)] for a in CHAIN], reward=[REWARD.get(a, 0.0) for a in answers])
    learner = LocalLearner(models, tokens_per_device=10**6)
    rates = lambda n: dict.fromkeys(models, 0.2 * 0.97**n)  # noqa: E731
    trainer = Trainer(plan(method, {"main": set(data)}), learner, rates=rates)
    for _ in range(steps):
        trainer.train({"main": data})
    return learner.models


@pytest.mark.parametrize(("tau", "first"), [(0.5, 0), (0.8, 1)])
def test_exact_on_a_chain(tau, first):
    """V is the expectile of what follows, Q the reward or γ V; decoding takes the path that the average misses."""
    expectile_of = lambda low, high, p: (tau * p * high + (1 - tau) * (1 - p) * low) / (tau * p + (1 - tau) * (1 - p))  # noqa: E731
    models = trained(tau)
    later = expectile_of(0.0, 1.0, 1 / 4)  # after a first 1
    low, high = sorted([0.9 * 0.3, 0.9 * later])
    start = expectile_of(low, high, 0.4 if 0.9 * later > 0.27 else 0.6)
    assert models["critic"].values.tolist() == pytest.approx([start, 0.3, later], abs=5e-3)
    for name in ("q1", "q2", "target_q1", "target_q2"):
        assert models[name].logits[0].tolist() == pytest.approx([0.27, 0.9 * later], abs=5e-3), name
        assert models[name].logits[[1, 2, 2], [1, 0, 1]].tolist() == pytest.approx([0.3, 0.0, 1.0], abs=5e-3)
    policy = models["policy"].logits.log_softmax(-1)
    assert policy[0].exp().tolist() == pytest.approx([0.6, 0.4], abs=5e-3)
    decoded = ilql(*(models[n].logits for n in ("policy", "target_q1", "target_q2")), beta=20.0).softmax(-1)
    tilted = [0.6 * math.exp(20 * 0.27), 0.4 * math.exp(20 * 0.9 * later)]
    assert decoded[0].tolist() == pytest.approx([w / sum(tilted) for w in tilted], abs=0.02)
    assert int(decoded[0].argmax()) == first


def test_the_values_that_teach_and_decode_are_averages():
    """The targets move a share of the way to their Q-functions. While they rest at 0, V learns nothing else."""
    assert {name: (a.of, a.decay) for name, a in ILQL.averages.items()} == {
        "target_q1": ("q1", 0.995),
        "target_q2": ("q2", 0.995),
    }
    models = trained(0.8, steps=1)
    for name in ("q1", "q2"):
        assert models[name].logits.abs().max() > 0.1
        torch.testing.assert_close(models[f"target_{name}"].logits, 0.2 * models[name].logits)
    still = trained(0.8, steps=3, decay=1.0)
    assert still["q1"].logits.abs().max() > 0.3
    assert still["critic"].values.tolist() == [0, 0, 0]

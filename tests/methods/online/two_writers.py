"""Answers of a tabular policy and a guide, enumerated with their probabilities or drawn."""

from __future__ import annotations

import random

import torch

from posttrain.catalogue.configure import configure
from posttrain.core.batch import Batch
from posttrain.core.method import Method, variant
from posttrain.core.parts import part
from posttrain.data.collate import collate
from posttrain.formulas.credit.advantages import add_value, gae
from posttrain.formulas.guides import random_cut
from posttrain.records import Row
from tests.harness.enumerated import Tabular


def plain(method: Method) -> Method:
    """PPO's kin with one step, no whitening and no KL, whose expected gradient is that of the expected reward."""
    credit = {"advantage": part(gae, lam=1.0), "returns": part(add_value, credit="advantage")}
    kept = {n: d for n, d in method.derived.items() if n == "token_reward"}
    made = variant(method, derived=kept | credit, passes=1, metrics={})
    return configure(made, {"kl_weight": 0.0, "policy.reduce": "sequence_sum"})


def row(model: Tabular, number: int, answer: tuple[int, ...], trained: range, reward: float, prompt: int = 0) -> Row:
    """An answer of which the tokens at these places are the policy's."""
    own = tuple(t in trained for t in range(len(answer)))
    written = (False, *(True for _ in answer))
    columns = {"group": prompt, "author": 0, "reward": reward, "rollout_logp": [0.0] * (len(answer) + 1)}
    return Row(number, (model.vocabulary + prompt, *answer), (False, *own), written, columns)


def enumerated(
    model: Tabular, guide: Tabular, reward: torch.Tensor, *, guide_begins: bool
) -> tuple[Batch, torch.Tensor, torch.Tensor]:
    """Every answer with every cut: the batch, its probabilities without gradient, and the expected reward with it.

    The gradient of the expected reward does not go into the guide.
    """
    mine, others = model.logits.log_softmax(-1), guide.logits.detach().log_softmax(-1)
    rows, chances = [], []
    for number, answer in enumerate(model.answers):
        for cut in range(1, model.length):
            policys = range(cut, model.length) if guide_begins else range(cut)
            logp = [(mine if t in policys else others)[model.place[answer[:t]], y] for t, y in enumerate(answer)]
            chances.append(torch.stack(logp).sum().exp() / (model.length - 1))
            rows.append(row(model, len(rows), answer, policys, float(reward[number]), prompt=len(rows)))
    made, weights = collate(rows), torch.stack(chances)
    return made, weights.detach(), (weights * reward.repeat_interleave(model.length - 1)).sum()


def drawn(policy: Tabular, guide: Tabular, goal: tuple[int, ...], count: int, seed: int, share: float) -> Batch:
    """Answers of which a share is begun by the guide; only `goal` earns a reward."""
    chance = random.Random(seed)
    tables = [m.logits.detach().softmax(-1).tolist() for m in (policy, guide)]
    rows = []
    for number in range(count):
        cut, answer = random_cut(policy.length, chance.random(), share=share) or 0, ()
        for t in range(policy.length):
            weights = tables[t < cut][policy.place[answer]]
            answer += tuple(chance.choices(range(policy.vocabulary), weights))
        rows.append(row(policy, number, answer, range(cut, policy.length), float(answer == goal)))
    return collate(rows)

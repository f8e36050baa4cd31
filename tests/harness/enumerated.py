"""A language model small enough to enumerate: one row of logits for every prefix, so that every expectation is exact.

A row is a prompt token, then an answer of at most `length` tokens of {0, ..., vocabulary - 1}; token 0 ends it.
Prompt tokens are numbers from `vocabulary` on. The model's distribution does not depend on them, but its gradient does:
with `weights` every row's gradient is multiplied by the weight of its prompt. One batch that holds every group of
answers once, weighted by its probability, then has the expected gradient of the method, without any noise.

Use it for expectations that must be exact, and for where training ends (fixed points).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from posttrain.core.batch import Batch
from posttrain.core.method import Method
from posttrain.core.plan import plan
from posttrain.data.collate import collate
from posttrain.records import Row
from posttrain.training.trainer import Trainer
from tests.harness.recorder import Recorder

Answer = tuple[int, ...]


class Tabular(nn.Module):
    """Logits (and values) by prefix."""

    def __init__(self, vocabulary: int = 3, length: int = 3, seed: int | None = None, ends: bool = True) -> None:
        super().__init__()
        self.vocabulary, self.length, self.ends = vocabulary, length, ends
        self.prefixes = [p for n in range(length) for p in itertools.product(range(vocabulary), repeat=n)]
        self.answers = [p for p in self._all() if self._whole(p)]
        self.place = {p: i for i, p in enumerate(self.prefixes)}
        size = (len(self.prefixes), vocabulary)
        generator = torch.Generator().manual_seed(seed or 0)
        start = torch.zeros(size) if seed is None else torch.randn(size, generator=generator)
        self.logits, self.values = nn.Parameter(start), nn.Parameter(torch.zeros(len(self.prefixes)))
        self.weights: Tensor | None = None  # of each prompt
        self._known: dict[bytes, tuple[Tensor, Tensor]] = {}

    def _all(self) -> list[Answer]:
        return [p for n in range(1, self.length + 1) for p in itertools.product(range(self.vocabulary), repeat=n)]

    def _whole(self, answer: Answer) -> bool:
        if not self.ends:
            return len(answer) == self.length
        return 0 not in answer[:-1] and (answer[-1] == 0 or len(answer) == self.length)

    def logp(self) -> Tensor:
        """log π of every answer, in the order of `answers`."""
        distribution = self.logits.log_softmax(-1)
        places = [[(self.place[a[:t]], a[t]) for t in range(len(a))] for a in self.answers]
        return torch.stack([distribution[tuple(torch.tensor(p).T)].sum() for p in places])

    def distribution(self) -> Tensor:
        return self.logp().detach().exp()

    def outputs(self, tokens, rows, names, *, written=None, temperature=1.0) -> dict[str, Tensor]:
        prefix, owner = self._prefixes(tokens, rows)
        distribution = self.logits.log_softmax(-1)[prefix]
        token = torch.where(tokens < self.vocabulary, tokens, 0)
        outputs = {
            "logp": distribution.gather(-1, token[:, None])[:, 0],
            "entropy": -(distribution.exp() * distribution).sum(-1),
            "value": self.values[prefix],
            "logits": distribution,
        }
        return {n: self._weighted(outputs[n], owner) for n in names}

    def _prefixes(self, tokens: Tensor, rows: Any) -> tuple[Tensor, Tensor]:
        """The place of the prefix that each token follows, and the prompt that its row answers."""
        key = tokens.numpy().tobytes()
        if key not in self._known:
            self._known[key] = self._read(tokens, rows)
        return self._known[key]

    def _read(self, tokens: Tensor, rows: Any) -> tuple[Tensor, Tensor]:
        places, prompts = [], []
        for row in tokens.split(rows.sizes.tolist()):
            prompt, *answer = row.tolist()
            prompts += [prompt - self.vocabulary] * len(row)
            places += [0] + [self.place[tuple(answer[:t])] for t in range(len(answer))]
        return torch.tensor(places), torch.tensor(prompts)

    def _weighted(self, x: Tensor, prompts: Tensor) -> Tensor:
        if self.weights is not None and x.requires_grad:
            weight = self.weights[prompts]
            x = x * 1.0  # a tensor of its own, so that its hook sees this row's gradient only
            x.register_hook(lambda g: g * (weight if g.dim() == 1 else weight[:, None]))
        return x


def batch(
    model: Tabular,
    groups: Sequence[Sequence[int]],
    train: Sequence[bool] = (True,),
    pairs: bool = False,
    **columns: Any,
) -> Batch:
    """Group k answers prompt k with the answers of those numbers; `train` says which of a group are trained on.

    A column is a table by answer, or a function of (group, place in the group).
    """
    rows, authors = [], [not t for t in train] * len(groups[0])
    for prompt, group in enumerate(groups):
        for place, number in enumerate(group):
            tokens = (model.vocabulary + prompt, *model.answers[number])
            written = (False,) + (True,) * (len(tokens) - 1)
            trained = train[place % len(train)]
            own = {n: c(prompt, place) if callable(c) else float(c[number]) for n, c in columns.items()}
            rows.append(
                Row(
                    id=len(rows),
                    tokens=tokens,
                    trained=tuple(w and trained for w in written),
                    written=written,
                    columns={"group": prompt, "author": int(authors[place]), **own},
                )
            )
    links = [(i, i + 1) for i in range(0, len(rows), 2)] if pairs else None
    return collate(rows, links, {"max_tokens": float(model.length)})


def every_group(model: Tabular, size: int) -> list[tuple[int, ...]]:
    return list(itertools.product(range(len(model.answers)), repeat=size))


class Exact:
    """Trains a method on weighted batches, and tells the expected gradient of its first step."""

    def __init__(self, method: Method, models: Mapping[str, Tabular], arrives: Mapping[str, Batch], rate: float = 0.0):
        self.models = models
        self.learner = Recorder(models, tokens_per_device=10**6)
        roles = dict.fromkeys(models, rate)
        names = {s: set(b) for s, b in arrives.items()}
        self.trainer = Trainer(plan(method, names), self.learner, rates=lambda _: roles)

    def step(self, batches: Mapping[str, Batch], weights: Tensor | None = None, role: str = "policy") -> Tensor:
        """One batch, in which prompt k counts `weights[k]`. The gradient is that of sum_k weights[k] loss_k."""
        for model in self.models.values():
            model.weights = None if weights is None else weights * len(weights)
        before = len(self.learner.gradients)
        self.trainer.train(dict(batches))
        return self.learner.gradients[before][f"{role}.logits"]


def variation(p: Tensor, q: Tensor) -> float:
    """Total variation distance of two distributions."""
    return float((p - q).abs().sum() / 2)


def kl_optimum(reference: Tensor, reward: Tensor, beta: float) -> Tensor:
    """π_ref exp(r/β) / Z"""
    return (reference.log() + reward / beta).softmax(-1)


def mixture(policy: Tabular, reference: Tabular, share: float) -> Tensor:
    """The distribution of π^share π_ref^(1 - share), renormalised at every token."""
    mixed = Tabular(policy.vocabulary, policy.length, ends=policy.ends)
    logits = [m.logits.detach().log_softmax(-1) for m in (policy, reference)]
    mixed.logits.data = share * logits[0] + (1 - share) * logits[1]
    return mixed.distribution()


def game(policy: Tabular, wins: Tensor) -> tuple[list[tuple[int, ...]], dict[str, Any]]:
    """Every pair of an answer and an opponent's, and the columns of its batch: how often the answer wins."""
    pairs = every_group(policy, 2)
    return pairs, {"reward": lambda k, place: float(wins[pairs[k]]) if place == 0 else 0.0}

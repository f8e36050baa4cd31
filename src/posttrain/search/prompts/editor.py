"""TEMPERA: Test-Time Prompting via Reinforcement Learning (Zhang et al., 2022): the policy over edits.

It attends from the query to the parts of the prompt, and from what it found to the edits:

    c = q + softmax(q Kᵀ/√w) X      π(edit) ∝ exp(W c · k(edit) / √w)      V = MLP(c)

An edit is represented by its kind, the parts that it changes, and the template that it writes by. Parts and queries are
represented by hidden states of a frozen language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from posttrain.search.prompts.edits import KINDS, Edit, FewShot


@dataclass(frozen=True)
class Views:
    """Prompts as numbers, one a row. `examples`, `templates` [N, pool]: by place; `phrases`, `kept` [N, phrases]."""

    queries: Tensor
    examples: Tensor
    templates: Tensor
    phrases: Tensor
    kept: Tensor

    @classmethod
    def of(cls, prompts: Sequence[FewShot], queries: Tensor) -> Views:
        """Read prompts. `queries` [N, D]: the states of the queries that they are edited for."""
        return cls(
            queries,
            torch.tensor([p.order for p in prompts]),
            torch.tensor([[p.templates[e] for e in p.order] for p in prompts]),
            torch.tensor([p.phrases for p in prompts], dtype=torch.long),
            torch.tensor([[int(x not in p.left_out) for x in p.phrases] for p in prompts], dtype=torch.long),
        )

    def __getitem__(self, rows: Tensor) -> Views:
        """Select rows."""
        return Views(*(x[rows] for x in vars(self).values()))

    @classmethod
    def joined(cls, views: Sequence[Views]) -> Views:
        """Put rows below each other."""
        return cls(*(torch.cat([getattr(v, name) for v in views]) for name in vars(views[0])))


class Editor(nn.Module):
    """Log-probs of all edits [N, A] and values [N] of prompts. Its weights derive from the seed alone.

    `examples` [pool, D] and `phrases` [P, D] are the states of the parts. `edits`: what it chooses
    among, in this order.
    """

    def __init__(
        self,
        examples: Tensor,
        phrases: Tensor,
        edits: Sequence[Edit],
        *,
        shots: int,
        templates: int,
        width: int = 64,
        seed: int = 0,
    ) -> None:
        super().__init__()
        size, pool = examples.shape[1], len(examples)
        self.examples, self.phrases = examples, phrases
        self.places = torch.arange(pool).clamp(max=shots)  # all examples outside of the prompt have one place
        self.part = nn.Linear(size, width)
        self.query = nn.Linear(size, width)
        self.place = nn.Embedding(shots + 1 + len(phrases), width)
        self.template = nn.Embedding(templates + 1, width)  # the last one: none
        self.kept = nn.Embedding(2, width)
        self.kind = nn.Embedding(len(KINDS), width)
        self.keys = nn.Linear(width, width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.asks = nn.Linear(width, width)
        self.value = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))
        self.edits = _numbers(edits, pool, pool + len(phrases), templates)
        _initialise(self, seed)

    def forward(self, v: Views) -> tuple[Tensor, Tensor]:
        """Return the log-probs of the edits, and the values."""
        parts = self._parts(v)
        scale = parts.shape[-1] ** -0.5
        q = self.query(v.queries)
        weights = (torch.einsum("nw,npw->np", q, self.keys(parts)) * scale).softmax(-1)
        context = q + torch.einsum("np,npw->nw", weights, parts)
        kind, a, b, template = self.edits
        some = torch.cat([parts, torch.zeros_like(parts[:, :1])], 1)  # the last one: no part
        edits = self.kind(kind) + self.template(template) + self.first(some)[:, a] + self.second(some)[:, b]
        logits = torch.einsum("nw,naw->na", self.asks(context), edits) * scale
        return logits.log_softmax(-1), self.value(context).squeeze(-1)

    def _parts(self, v: Views) -> Tensor:
        """The examples in their places and the phrases in theirs: [N, pool + P, width]."""
        first = self.places.max() + 1
        examples = self.part(self.examples[v.examples]) + self.place(self.places) + self.template(v.templates)
        places = self.place(first + torch.arange(v.phrases.shape[1]))
        phrases = self.part(self.phrases[v.phrases]) + places + self.kept(v.kept)
        return torch.cat([examples, phrases], 1)

    def state(self) -> dict[str, Any]:
        """Return the weights as plain data."""
        return {name: p.tolist() for name, p in self.named_parameters()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the weights of a `state`."""
        with torch.no_grad():
            for name, p in self.named_parameters():
                p.copy_(torch.tensor(state[name]))


def _numbers(edits: Sequence[Edit], pool: int, none: int, templates: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The kind, the two parts and the template of each edit; where it has none, the number behind the last."""
    rows = []
    for e in edits:
        offset = pool if e.kind.startswith("phrase") else 0
        a = none if e.kind == "stop" else offset + e.i
        b = offset + e.j if e.kind in ("examples", "phrases") else none
        rows.append((KINDS.index(e.kind), a, b, e.j if e.kind == "template" else templates))
    kind, first, second, template = torch.tensor(rows).unbind(1)
    return kind, first, second, template


def _initialise(module: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            bound = p.shape[-1] ** -0.5 if p.dim() > 1 else 0.0
            p.copy_((2 * torch.rand(p.shape, generator=generator) - 1) * bound)

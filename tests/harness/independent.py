"""Trains with the reference implementations: an own loop, an own optimiser, the same rows in every step.

Use it as the oracle of a `Case`: gradients and parameters must equal those of the trainer.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from posttrain.seeds import seed_for
from tests.harness.cases import RATE, Case, Record, networks
from tests.harness.reference import REFERENCES


class Independent:
    """The reference implementation on a case, with an optimiser of its own."""

    def __init__(self, case: Case) -> None:
        self.case, self.impl, self.memory = case, REFERENCES[case.method.name], {}
        self.nets, self.plan = networks(shared=case.shared), case.trainer().plan
        self.trained = {id(self.nets[r]): r for r in self.plan.trained}.values()
        self.adam = torch.optim.Adam([p for r in self.trained for p in self.nets[r].parameters()], lr=RATE)
        main = case.data["main"]
        self.data = case.data | {"pairs": list(zip(main[::2], main[1::2], strict=True))}
        self.first: dict[str, Tensor] | None = None  # the gradient of the first optimiser step

    def train(self, number: int) -> None:
        """One batch."""
        once = self.impl.once(self.nets, self.data, self.memory)
        for k in range(self.case.method.passes):
            for hand in self.hands(seed_for(seed_for(5, "batch", number), "pass", k)):
                self.adam.zero_grad()
                self.impl.loss(self.nets, self.data, once, hand).backward()
                self.first = self.first or self.gradient()
                self.adam.step()
        self.impl.end(self.nets, self.data, once, self.memory)

    def hands(self, seed: int) -> Iterator[dict[str, list[Record]]]:
        """The rows of each minibatch, as the library deals them."""
        by_id = {r["id"]: r for rows in self.case.data.values() for r in rows}
        dealt = [
            b.without_spectators(self.plan.links(s)).deal(self.plan.links(s), self.case.method.minibatches, seed)
            for s, b in self.case.batches().items()
        ]
        for minis in zip(*dealt, strict=True):
            ids = {s: m["row_id"].tolist() for s, m in zip(self.case.data, minis, strict=True)}
            yield {s: [by_id[i] for i in rows] for s, rows in ids.items()}

    def gradient(self) -> dict[str, Tensor]:
        named = [(f"{r}.{n}", p) for r in self.trained for n, p in self.nets[r].named_parameters()]
        return {n: torch.zeros_like(p) if p.grad is None else p.grad.clone() for n, p in named}

    def parameters(self) -> dict[str, Tensor]:
        return {f"{r}.{n}": p.detach() for r in self.plan.trained for n, p in self.nets[r].named_parameters()}

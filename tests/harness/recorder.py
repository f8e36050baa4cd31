"""The learner that ships, with a memory: the gradient of every optimiser step.

Use it wherever a test compares gradients. Everything else in a test of a method is what a run uses.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from posttrain.backends.local.learner import LocalLearner

Gradients = dict[str, Tensor]  # `role.parameter` -> gradient, 0 where a parameter got none


class Recorder(LocalLearner):
    """`gradients`: one entry an optimiser step."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.gradients: list[Gradients] = []

    def step(self, rates: Any) -> dict[str, float]:
        named = [(f"{r}.{n}", p) for r in self.optimisers for n, p in self.models[r].named_parameters()]
        self.gradients.append({n: torch.zeros_like(p) if p.grad is None else p.grad.clone() for n, p in named})
        return super().step(rates)


def of_role(gradients: Gradients, role: str) -> Gradients:
    """The gradients of one model, by parameter."""
    return {n.removeprefix(f"{role}."): g for n, g in gradients.items() if n.startswith(f"{role}.")}

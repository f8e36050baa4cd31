"""A model that follows another, step by step (a target network, a reference that moves slowly)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from posttrain.backends.optimiser import master


class Follower:
    """θ ← decay θ + (1 - decay) source, in float32: a thousandth of the way is less than bf16 can show."""

    def __init__(self, module: nn.Module, source: nn.Module, decay: float) -> None:
        self.parameters, self.sources = list(module.parameters()), list(source.parameters())
        self.masters, self.decay = [master(p) for p in self.parameters], decay

    @torch.no_grad()
    def step(self) -> None:
        for mine, theirs in zip(self.masters, self.sources, strict=True):
            mine.lerp_(theirs.to(mine.dtype), 1 - self.decay)
        self._publish()

    def _publish(self) -> None:
        for p, mine in zip(self.parameters, self.masters, strict=True):
            if mine is not p:
                p.copy_(mine)

    def live(self) -> list[Tensor]:
        """What the next step depends on, in the tensors that it changes."""
        return [m.detach() for p, m in zip(self.parameters, self.masters, strict=True) if m is not p]

    @torch.no_grad()
    def restore(self, state: Sequence[Tensor]) -> None:
        own = [m for p, m in zip(self.parameters, self.masters, strict=True) if m is not p]
        for mine, saved in zip(own, state, strict=True):
            mine.copy_(saved)
        self._publish()

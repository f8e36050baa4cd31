"""A model that follows another, step by step (a target network, a reference that moves slowly)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from posttrain.backends.local.master import Master


class Follower:
    """θ ← decay θ + (1 - decay) source, in float32: a thousandth of the way is less than bf16 can show."""

    def __init__(self, module: nn.Module, source: nn.Module, decay: float) -> None:
        self.masters, self.sources = [Master(p) for p in module.parameters()], list(source.parameters())
        self.decay = decay

    @torch.no_grad()
    def step(self) -> None:
        for mine, theirs in zip(self.masters, self.sources, strict=True):
            mine.write(mine.read().lerp_(theirs.reshape(-1).to(mine.dtype), 1 - self.decay))

    def live(self) -> list[Tensor]:
        """What the next step depends on, in the tensors that it changes."""
        return [m.rest for m in self.masters if m.rest is not None]

    @torch.no_grad()
    def restore(self, state: Sequence[Tensor]) -> None:
        for mine, saved in zip((m for m in self.masters if m.rest is not None), state, strict=True):
            mine.restore(saved)

"""Moving averages of a model (a target network, a slowly moving reference)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from posttrain.backends.local.master import Master


class Follower:
    """A moving average, θ ← decay θ + (1 - decay) source, in float32: bf16 would lose its small steps."""

    def __init__(self, module: nn.Module, source: nn.Module, decay: float) -> None:
        self.masters = [Master(p) for p in module.parameters()]
        self.sources = list(source.parameters())
        self.decay = decay

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter towards the source's."""
        for mine, theirs in zip(self.masters, self.sources, strict=True):
            mine.write(mine.read().lerp_(theirs.reshape(-1).to(mine.dtype), 1 - self.decay))

    def live(self) -> list[Tensor]:
        """Return the tensors, besides the parameters, that the next step reads and changes in place."""
        return [m.low_bits for m in self.masters if m.low_bits is not None]

    @torch.no_grad()
    def restore(self, state: Sequence[Tensor]) -> None:
        """Continue from the tensors of `live`, with the parameters of the same moment."""
        for mine, saved in zip((m for m in self.masters if m.low_bits is not None), state, strict=True):
            mine.restore(saved)

"""Moving averages of a model (a target network, a slowly moving reference)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from posttrain.backends.local.master import Master
from posttrain.core.method import Method


class Follower:
    """A moving average, θ ← decay θ + (1 - decay) source, in float32: bf16 would lose its small steps."""

    def __init__(self, module: nn.Module, source: nn.Module, decay: float, every: int = 1) -> None:
        self.masters = [Master(p) for p in module.parameters()]
        self.sources = list(source.parameters())
        self.decay = decay
        self.every = every
        self.count = torch.zeros((), dtype=torch.int64, device="cpu")  # of steps

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter towards the source's, at every `every`-th step."""
        self.count += 1
        if self.count % self.every:
            return
        for mine, theirs in zip(self.masters, self.sources, strict=True):
            mine.write(mine.read().lerp_(theirs.reshape(-1).to(mine.dtype), 1 - self.decay))

    def live(self) -> list[Tensor]:
        """Return the tensors, besides the parameters, that the next step reads and changes in place."""
        return [m.low_bits for m in self.masters if m.low_bits is not None] + [self.count] * (self.every > 1)

    @torch.no_grad()
    def restore(self, state: Sequence[Tensor]) -> None:
        """Continue from the tensors of `live`, with the parameters of the same moment."""
        if self.every > 1:
            *state, count = state
            self.count.copy_(count)
        for mine, saved in zip((m for m in self.masters if m.low_bits is not None), state, strict=True):
            mine.restore(saved)


def follower(models: Mapping[str, nn.Module], name: str, method: Method) -> Follower:
    """Return the moving average of this name of a method."""
    average = method.averages[name]
    steps = average.batches * method.passes * method.minibatches
    return Follower(models[name], models[average.of], average.decay, every=steps or 1)

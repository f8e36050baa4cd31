"""AdamW and moving averages of what one process holds of a network. Every number is updated where it lies."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from posttrain.backends.fsdp.group import Group
from posttrain.backends.fsdp.leaves import Leaf
from posttrain.backends.fsdp.sharding import Parts, cut, local, whole
from posttrain.backends.local.average import Follower
from posttrain.backends.local.optimiser import AdamW, Optimiser
from posttrain.backends.local.step_merging import StepMerger
from posttrain.core.weights import StepMerging
from posttrain.models.adapters import scales, trained_parameters

MOMENTS = ("means", "squares")


class ShardedOptimiser(Optimiser):
    """Updates this process's parts of the trainable parameters of a network, with the norm of the whole gradient."""

    def __init__(self, module: nn.Module, settings: AdamW, group: Group, merger: StepMerger | None = None) -> None:
        chosen = trained_parameters(module)
        module.requires_grad_(False)
        for p in chosen.values():
            p.requires_grad_(True)
        parts = Parts(module).local
        super().__init__(
            [parts[name] for name in chosen], settings, merger, {n for n, name in enumerate(chosen) if scales(name)}
        )
        self.full = list(chosen.values())
        self.group = group
        self.seconds = 0.0  # of the latest step

    def norm(self) -> Tensor:
        """Norm of the accumulated gradient of all processes before clipping: a scalar tensor."""
        self._collect()
        first = self.group.rank == 0
        counted = [p.grad for p, f in zip(self.parameters, self.full, strict=True) if first or isinstance(f, DTensor)]
        squares = torch.zeros((), dtype=torch.float64, device=self.group.device)
        for grad in counted:
            if grad is not None:
                squares += grad.double().square().sum()
        wide = max((p.dtype for p in self.parameters), key=lambda d: d.itemsize, default=torch.float32)
        return self.group.added(squares).sqrt().to(wide)

    def step(self, rate: float, norm: Tensor) -> None:
        """Take one step along the gradient of all processes, and note how long this one took."""
        self._wait()
        start = time.perf_counter()
        super().step(rate, norm)
        self._wait()
        self.seconds = time.perf_counter() - start

    def _wait(self) -> None:
        """Wait for what the device was asked to do before."""
        if self.group.device.type == "cuda":
            torch.cuda.synchronize()

    def _collect(self) -> None:
        """Take the gradients from the parameters. Those of heads, which every process has, are added up."""
        heads = [p for p in self.full if not isinstance(p, DTensor)]
        flags = torch.tensor([float(p.grad is not None) for p in heads], device=self.group.device)
        reached = iter(self.group.added(flags).tolist() if heads else ())
        for own, p in zip(self.parameters, self.full, strict=True):
            grad = p.grad
            if not isinstance(p, DTensor) and next(reached):
                grad = self.group.added(torch.zeros_like(p) if grad is None else grad)
            if grad is not None:
                own.grad = local(grad) if own.grad is None else own.grad + local(grad)
            p.grad = None

    def zero(self) -> None:
        """Drop the accumulated gradient."""
        super().zero()
        for p in self.full:
            p.grad = None

    def leaves(self) -> dict[str, Any]:
        """The state as a tree, as an optimiser of one process has it."""
        live = self.live()
        moments = {n: [Leaf(x, p) for x, p in zip(live[n], self.full, strict=True)] for n in MOMENTS}
        return {"steps": live["steps"], **moments, "low_bits": []}

    def count(self, steps: Sequence[int]) -> None:
        """Continue from these numbers of steps, one for each parameter."""
        for state, number in zip(self.param_states, steps, strict=True):
            state.steps = int(number)


class ShardedMerger(StepMerger):
    """Merges steps as whole tensors, since which entries are kept depends on all of them."""

    def __init__(self, how: StepMerging, module: nn.Module, tuned: nn.Module, base: nn.Module, seed: int) -> None:
        super().__init__(how, module, tuned, base, seed)
        self.full = list(trained_parameters(module).values())

    def merge(self, number: int, before: Tensor, after: Tensor, steps: int) -> None:
        """Replace this process's part of a step. All processes call this."""
        like = self.full[number]
        old, new = (whole(x, like).reshape(-1).clone() for x in (before, after))
        super().merge(number, old, new, steps)
        after.copy_(cut(new.view(like.shape), like).reshape(-1))

    def _task(self, name: str, like: Tensor) -> Tensor:
        if name not in self.tasks:
            for end in self.ends:
                end[name] = nn.Parameter(whole(local(end[name]), end[name]), requires_grad=False)
        return super()._task(name, like)


class ShardedFollower(Follower):
    """The moving average of what this process holds of a network."""

    def __init__(self, module: nn.Module, source: nn.Module, decay: float, every: int, group: Group) -> None:
        parts: Any = Parts(module)
        super().__init__(parts, Parts(source), decay, every)  # type: ignore[arg-type]
        self.full = list(parts.full.values())
        self.group = group

    def leaves(self) -> list[Leaf]:
        """What `live` returns, as leaves."""
        rounded = zip(self.masters, self.full, strict=True)
        bits = [Leaf(m.low_bits, p) for m, p in rounded if m.low_bits is not None]
        return bits + [Leaf(self.count, self.count)] * (self.every > 1)

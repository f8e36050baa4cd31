"""AdamW in float32: the model may compute in bf16, its weights and gradients add up in float32."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from posttrain.backends.local.master import Master

PART = 2**20  # numbers updated at once on a CPU: what is read for one step stays in the cache until it is written


@dataclass(frozen=True)
class AdamW:
    """Settings of the optimiser (Loshchilov and Hutter, 2019). Vectors (norms, biases) are never decayed."""

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0  # 0 switches clipping off


class Optimiser:
    """Steps the trainable parameters of one module.

    All its memory is there from the beginning: what is allocated between activations leaves holes among them.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], settings: AdamW) -> None:
        self.settings, self.parameters = settings, list(parameters)
        self.moving = [_Moving(p) for p in self.parameters]

    def norm(self) -> Tensor:
        """Of the gathered gradient, before clipping."""
        return torch.nn.utils.get_total_norm([m.grad for m in self.moving if m.grad is not None])

    @torch.no_grad()
    def step(self, rate: float, norm: Tensor) -> None:
        """One step along the gathered gradient, whose norm is given; then it is forgotten."""
        clipping = _clipping(norm, self.settings.max_grad_norm)
        for moving in self.moving:
            if moving.grad is not None:
                moving.step(self.settings, rate, clipping)
        self.zero()

    def close(self) -> None:
        """Let go of the model, so that another optimiser can take it over."""
        for moving in self.moving:
            moving.close()
        self.zero()

    def zero(self) -> None:
        for moving in self.moving:
            moving.forget()

    def state(self) -> dict[str, Any]:
        """A copy of what the next step depends on."""
        copied: dict[str, Any] = cloned(self.live())
        return copied

    def live(self) -> dict[str, Any]:
        """What the next step depends on, in the tensors that it changes."""
        return {
            "steps": [m.steps for m in self.moving],
            "means": [m.mean for m in self.moving],
            "squares": [m.square for m in self.moving],
            "rests": [m.master.rest for m in self.moving if m.master.rest is not None],
        }

    @torch.no_grad()
    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, with the parameters of its moment."""
        rests = iter(state["rests"])
        for moving, *saved in zip(self.moving, state["steps"], state["means"], state["squares"], strict=True):
            moving.steps = int(saved[0])
            moving.mean.copy_(saved[1])
            moving.square.copy_(saved[2])
            if moving.master.rest is not None:
                moving.master.restore(next(rests))


class _Moving:
    """A parameter with its gathered gradient and Adam's moments."""

    def __init__(self, parameter: nn.Parameter) -> None:
        self.master, self.steps = Master(parameter), 0
        self.mean, self.square = self.master.zeros(), self.master.zeros()
        self._gathered: Tensor | None = None
        self._some, self._hook = False, None
        if parameter.dtype != self.master.dtype:
            self._gathered = self.master.zeros()
            self._hook = parameter.register_post_accumulate_grad_hook(self._gather)  # type: ignore[no-untyped-call]

    @property
    def grad(self) -> Tensor | None:
        """Flat; None if there was no backward pass."""
        if self._gathered is not None:
            return self._gathered if self._some else None
        own = self.master.parameter.grad
        return None if own is None else own.reshape(-1)

    def _gather(self, parameter: Tensor) -> None:
        """After each backward pass, adds a low-precision gradient in float32."""
        grad = parameter.grad
        if grad is None or self._gathered is None:
            return
        flat = grad.reshape(-1)
        if self._some:
            for part in _parts(flat):  # adding bfloat16 to float32 takes torch 15 times as long as converting it first
                self._gathered[part].add_(flat[part].to(self._gathered.dtype))
        else:
            self._gathered.copy_(flat)
        self._some, parameter.grad = True, None

    def forget(self) -> None:
        self._some, self.master.parameter.grad = False, None

    def close(self) -> None:
        if self._hook is not None:
            self._hook.remove()

    def step(self, settings: AdamW, rate: float, clipping: Tensor) -> None:
        """In parts: the value is joined, moved and split again while it is in the cache of the processor."""
        grad, decay = self.grad, settings.weight_decay if self.master.parameter.dim() > 1 else 0.0
        assert grad is not None
        for part in _parts(grad):
            value = self.master.read(part)
            adamw(
                [value],
                [grad[part] * clipping],
                [self.mean[part]],
                [self.square[part]],
                [],
                [torch.full((), self.steps, dtype=torch.float32, device=value.device)],
                fused=True,
                amsgrad=False,
                beta1=settings.betas[0],
                beta2=settings.betas[1],
                lr=rate,
                weight_decay=decay,
                eps=settings.eps,
                maximize=False,
            )
            self.master.write(value, part)
        self.steps += 1


def _parts(flat: Tensor) -> Iterator[slice]:
    size = PART if flat.device.type == "cpu" else max(1, len(flat))
    for start in range(0, len(flat), size):
        yield slice(start, start + size)


def _clipping(norm: Tensor, largest: float) -> Tensor:
    """What the gradient is multiplied by: at most 1, so that its norm is at most the largest; 0 switches it off."""
    return (largest / (norm + 1e-6)).clamp(max=1) if largest else torch.ones_like(norm)


def cloned(state: Any) -> Any:
    """A nested state with copies of its tensors."""
    if isinstance(state, Tensor):
        return state.detach().clone()
    if isinstance(state, dict):
        return {k: cloned(v) for k, v in state.items()}
    if isinstance(state, list):
        return [cloned(v) for v in state]
    return state

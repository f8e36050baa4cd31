"""AdamW on float32 masters: the model may compute in bf16, its weights and gradients add up in float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class AdamW:
    """Settings of the optimiser (Loshchilov and Hutter, 2019). Vectors (norms, biases) are never decayed."""

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0  # 0 switches clipping off


class Optimiser:
    """Steps the trainable parameters of one module."""

    def __init__(self, parameters: Sequence[nn.Parameter], settings: AdamW) -> None:
        self.settings = settings
        self.parameters = list(parameters)
        self.masters = [master(p) for p in self.parameters]
        pairs = zip(self.parameters, self.masters, strict=True)
        self.hooks: list[Any] = [
            p.register_post_accumulate_grad_hook(_Collect(m))  # type: ignore[no-untyped-call]
            for p, m in pairs
            if m is not p
        ]
        matrices = [m for m in self.masters if m.dim() > 1]
        vectors = [m for m in self.masters if m.dim() <= 1]
        groups = [
            {"params": matrices, "weight_decay": settings.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        self.adam = torch.optim.AdamW(
            [g for g in groups if g["params"]], lr=0.0, betas=settings.betas, eps=settings.eps, fused=True
        )

    def norm(self) -> Tensor:
        """Of the gathered gradient, before clipping."""
        return torch.nn.utils.get_total_norm([m.grad for m in self.masters if m.grad is not None])

    def step(self, rate: float, norm: Tensor) -> None:
        """One step along the gathered gradient, whose norm is given; then it is forgotten."""
        if self.settings.max_grad_norm:
            torch.nn.utils.clip_grads_with_norm_(self.masters, self.settings.max_grad_norm, norm)
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        self.zero()
        self.publish()

    @torch.no_grad()
    def publish(self) -> None:
        """The masters' values, rounded, become the model's."""
        for p, wide in zip(self.parameters, self.masters, strict=True):
            if wide is not p:
                p.copy_(wide)

    def close(self) -> None:
        """Let go of the model, so that another optimiser can take it over."""
        for hook in self.hooks:
            hook.remove()
        self.zero()

    def zero(self) -> None:
        for p in (*self.parameters, *self.masters):
            p.grad = None

    def state(self) -> dict[str, Any]:
        """A copy of what the next step depends on."""
        copied: dict[str, Any] = cloned(self.live())
        return copied

    def live(self) -> dict[str, Any]:
        """What the next step depends on, in the tensors that it changes."""
        masters = [m.detach() for p, m in zip(self.parameters, self.masters, strict=True) if m is not p]
        return {"adam": self.adam.state_dict(), "masters": masters}

    @torch.no_grad()
    def restore(self, state: Mapping[str, Any]) -> None:
        self.adam.load_state_dict(state["adam"])
        own = [m for p, m in zip(self.parameters, self.masters, strict=True) if m is not p]
        for wide, saved in zip(own, state["masters"], strict=True):
            wide.copy_(saved)
        self.publish()


class _Collect:
    """After each backward pass, moves a low-precision gradient into its float32 master's."""

    def __init__(self, master: Tensor) -> None:
        self.master = master

    def __call__(self, parameter: Tensor) -> None:
        grad = parameter.grad
        if grad is None:
            return
        if self.master.grad is None:
            self.master.grad = grad.to(self.master.dtype)
        else:
            self.master.grad.add_(grad)
        parameter.grad = None


def master(p: nn.Parameter) -> Tensor:
    """The parameter itself, or its float32 copy if it has a lower precision."""
    if p.dtype in (torch.float32, torch.float64):
        return p
    return p.detach().to(torch.float32).requires_grad_()


def cloned(state: Any) -> Any:
    """A nested state with copies of its tensors."""
    if isinstance(state, Tensor):
        return state.detach().clone()
    if isinstance(state, dict):
        return {k: cloned(v) for k, v in state.items()}
    if isinstance(state, list):
        return [cloned(v) for v in state]
    return state

"""Copies of the state in host memory, which can be written while training continues."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from posttrain.errors import ModelError
from posttrain.machine.disk import View, empty_like, view_of


class Copies:
    """Host memory that every snapshot reuses, because new pages, above all pinned ones, cost more than copying.

    A copy is valid until the next `take`. Tensors that share memory share their copy.
    """

    def __init__(self) -> None:
        self._memory: dict[View, Tensor] = {}
        self._taken: dict[View, Tensor] = {}

    @torch.no_grad()
    def take(self, state: Any, module: nn.Module) -> tuple[Any, nn.Module]:
        """Copy a nested state and a module."""
        self._taken = {}
        memo: dict[int, Any] = {id(b): self._copy(b) for b in module.buffers()}
        memo |= {id(p): nn.Parameter(self._copy(p), requires_grad=False) for p in module.parameters()}
        copies = self._copied(state), copy.deepcopy(module, memo)
        if any(t.is_pinned() for t in self._taken.values()):
            torch.cuda.synchronize()
        self._memory = self._taken
        return copies

    def _copied(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self._copy(value)
        if isinstance(value, dict):
            return {k: self._copied(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._copied(v) for v in value)
        return value

    def _copy(self, tensor: Tensor) -> Tensor:
        view = view_of(tensor)
        if view not in self._taken:
            target = self._memory.get(view)
            if target is None:
                target = empty_like(tensor, pinned=tensor.is_cuda)
            self._taken[view] = target.copy_(tensor.detach(), non_blocking=True)
        return self._taken[view]


def check_fit(role: str, own: Mapping[str, Tensor], saved: Mapping[str, Tensor]) -> None:
    """Raise ModelError, with both shapes or number formats, if a checkpoint belongs to another model."""
    for name in (*saved, *own):
        here, there = (list(w[name].shape) if name in w else None for w in (own, saved))
        if here != there:
            raise ModelError(
                f"{role}: {name} is {there or 'missing'} in the checkpoint and {here or 'missing'} in this run; resume "
                "with the model and the LoRA settings that the run began with"
            )
        if own[name].dtype != saved[name].dtype:
            now, then = (str(w[name].dtype).removeprefix("torch.") for w in (own, saved))
            key = "model.dtype" if role == "policy" else f"models.{role}.dtype, or model.dtype where it is a copy"
            raise ModelError(
                f"{role}: {name} is {then} in the checkpoint and {now} in this run; resume with {then} as {key}"
            )

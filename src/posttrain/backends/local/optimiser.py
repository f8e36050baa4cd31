"""AdamW in float32: the model may compute in bf16, but weights and gradients accumulate in float32."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from posttrain.backends.local.master import Master
from posttrain.backends.local.step_merging import StepMerger
from posttrain.models.adapters import scales, trained_parameters

CHUNK = 2**20  # numbers that a CPU updates at once, few enough to stay in its cache from reading to writing


@dataclass(frozen=True)
class AdamW:
    """Settings of AdamW (Loshchilov and Hutter, 2019). Weight decay never applies to vectors (norms, biases, (IA)³)."""

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0  # 0 switches clipping off


class Optimiser:
    """Updates the trainable parameters of one module.

    All its memory is allocated at the start: allocations between activations would fragment memory.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        settings: AdamW,
        merger: StepMerger | None = None,
        vectors: Container[int] = (),
    ) -> None:
        """`vectors`: numbers of parameters that are vectors though they have two axes."""
        self.settings = settings
        self.merger = merger
        self.parameters = list(parameters)
        self.param_states = [_ParamState(p, n in vectors) for n, p in enumerate(self.parameters)]

    @classmethod
    def of(cls, module: nn.Module, settings: AdamW, merger: StepMerger | None = None) -> Optimiser:
        """Return the optimiser of what is trained in a module, and let only that have gradients."""
        chosen = trained_parameters(module)
        module.requires_grad_(False)
        for p in chosen.values():
            p.requires_grad_(True)
        return cls(list(chosen.values()), settings, merger, {n for n, name in enumerate(chosen) if scales(name)})

    def norm(self) -> Tensor:
        """Norm of the accumulated gradient before clipping: a scalar tensor."""
        return torch.nn.utils.get_total_norm([s.grad for s in self.param_states if s.grad is not None])

    @torch.no_grad()
    def step(self, rate: float, norm: Tensor) -> None:
        """Take one step along the accumulated gradient, whose norm is given, and drop the gradient.

        At a rate of 0 the moments stay as they are too.
        """
        clipping = _clipping(norm, self.settings.max_grad_norm)
        for number, state in enumerate(self.param_states):
            if not rate or state.grad is None:
                continue
            before = None if self.merger is None else state.decayed(self.settings, rate)
            state.step(self.settings, rate, clipping)
            if self.merger is not None and before is not None:
                after = state.master.read()
                self.merger.merge(number, before, after, state.steps)
                state.master.write(after)
        self.zero()

    def close(self) -> None:
        """Remove the hooks from the model, so that another optimiser can train it."""
        for state in self.param_states:
            state.close()
        self.zero()

    def zero(self) -> None:
        """Drop the accumulated gradient."""
        for state in self.param_states:
            state.zero()

    def state(self) -> dict[str, Any]:
        """Copy everything that the next step depends on, besides the parameters."""
        copied: dict[str, Any] = cloned(self.live())
        return copied

    def live(self) -> dict[str, Any]:
        """Return the state uncopied, in the tensors that the next step changes in place."""
        states = self.param_states
        return {
            "steps": [s.steps for s in states],
            "means": [s.mean for s in states],
            "squares": [s.square for s in states],
            "low_bits": [s.master.low_bits for s in states if s.master.low_bits is not None],
        }

    @torch.no_grad()
    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state, with the parameters of the same moment."""
        low_bits = iter(state["low_bits"])
        for own, *saved in zip(self.param_states, state["steps"], state["means"], state["squares"], strict=True):
            own.steps = int(saved[0])
            own.mean.copy_(saved[1])
            own.square.copy_(saved[2])
            if own.master.low_bits is not None:
                own.master.restore(next(low_bits))


class _ParamState:
    """A parameter with its accumulated gradient and Adam's moments."""

    def __init__(self, parameter: nn.Parameter, vector: bool = False) -> None:
        self.master = Master(parameter)
        self.vector = vector or parameter.dim() < 2
        self.steps = 0
        self.mean = self.master.zeros()
        self.square = self.master.zeros()
        self._accumulated: Tensor | None = None
        self._has_grad = False
        self._hook = None
        if parameter.dtype != self.master.dtype:
            self._accumulated = self.master.zeros()
            self._hook = parameter.register_post_accumulate_grad_hook(self._accumulate)  # type: ignore[no-untyped-call]

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient, flat; None if there was no backward pass."""
        if self._accumulated is not None:
            return self._accumulated if self._has_grad else None
        own = self.master.parameter.grad
        return None if own is None else own.reshape(-1)

    def put(self, flat: Tensor) -> None:
        """Replace the gradient."""
        if self._accumulated is not None:
            self._accumulated.copy_(flat)
            self._has_grad = True
        else:
            parameter = self.master.parameter
            parameter.grad = flat.view_as(parameter)

    def _accumulate(self, parameter: Tensor) -> None:
        """Add a low-precision gradient in float32: the hook that runs after each backward pass."""
        grad = parameter.grad
        if grad is None or self._accumulated is None:
            return
        flat = grad.reshape(-1)
        if self._has_grad:
            for chunk in _chunks(flat):  # torch adds a bfloat16 tensor 15 times slower than a converted one
                self._accumulated[chunk].add_(flat[chunk].to(self._accumulated.dtype))
        else:
            self._accumulated.copy_(flat)
        self._has_grad = True
        parameter.grad = None

    def zero(self) -> None:
        """Drop the gradient."""
        self._has_grad = False
        self.master.parameter.grad = None

    def close(self) -> None:
        """Remove the hook from the parameter."""
        if self._hook is not None:
            self._hook.remove()

    def decay(self, settings: AdamW) -> float:
        """Weight decay of this parameter."""
        return 0.0 if self.vector else settings.weight_decay

    def decayed(self, settings: AdamW, rate: float) -> Tensor:
        """Return a copy of the value that weight decay alone would leave."""
        return self.master.read() * (1 - rate * self.decay(settings))

    def step(self, settings: AdamW, rate: float, clipping: Tensor) -> None:
        """Update the parameter in chunks, each of which is joined, moved and split while it is in the CPU's cache."""
        grad, decay = self.grad, self.decay(settings)
        assert grad is not None
        for chunk in _chunks(grad):
            value = self.master.read(chunk)
            adamw(
                [value],
                [grad[chunk] * clipping],
                [self.mean[chunk]],
                [self.square[chunk]],
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
            self.master.write(value, chunk)
        self.steps += 1


def _chunks(flat: Tensor) -> Iterator[slice]:
    size = CHUNK if flat.device.type == "cpu" else max(1, len(flat))
    for start in range(0, len(flat), size):
        yield slice(start, start + size)


def _clipping(norm: Tensor, largest: float) -> Tensor:
    """Return the factor, at most 1, that brings the gradient's norm down to `largest`; 1 where `largest` is 0."""
    return (largest / (norm + 1e-6)).clamp(max=1) if largest else torch.ones_like(norm)


def cloned(state: Any) -> Any:
    """Copy a nested state with its tensors."""
    if isinstance(state, Tensor):
        return state.detach().clone()
    if isinstance(state, dict):
        return {k: cloned(v) for k, v in state.items()}
    if isinstance(state, list):
        return [cloned(v) for v in state]
    return state

"""A device that is not the processor, without one: its tensors lie in ordinary memory and say they lie elsewhere.

Like a GPU it refuses operators whose tensors are on both devices. Steps are recorded like those of a GPU: replayed,
the same operators run on the same memory, with the numbers that the processor gave them then; what makes the
processor wait for the device is refused meanwhile. Only the kernels are not those of a GPU.

torch keeps a device that was registered, so what uses this one needs a process of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

NAME = "elsewhere"
HERE, THERE = torch.device("cpu"), f"{NAME}:0"
COPIES = ("aten::copy_", "aten::_to_copy")  # from device to device
INDEXED = ("aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")  # by either device's tensors
WAITED_FOR = ("aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal", "aten::_unique2")

Step = Callable[[], Tensor]


class Elsewhere(Tensor):
    """A tensor of the device, which lies `here`."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> Elsewhere:
        place = {"strides": here.stride(), "storage_offset": here.storage_offset()}
        made = Tensor._make_wrapper_subclass(cls, here.shape, **place, dtype=here.dtype, device=torch.device(THERE))
        made.here = here
        return made

    @classmethod
    def __torch_dispatch__(cls, operator: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:  # noqa: ARG003
        return _run(operator, *arguments, **keywords or {})

    def data_ptr(self) -> int:
        return self.here.data_ptr()

    def untyped_storage(self) -> torch.UntypedStorage:
        return self.here.untyped_storage()

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copied = self.detach().clone()
        memo[id(self)] = nn.Parameter(copied, self.requires_grad) if isinstance(self, nn.Parameter) else copied
        return memo[id(self)]

    def __repr__(self, **_: Any) -> str:
        return f"elsewhere: {self.here}"


def _run(operator: Any, *arguments: Any, **keywords: Any) -> Any:
    name, given = operator._schema.name, tree_leaves((arguments, keywords))
    _refuse_both(name, arguments, given)
    devices = [x.type for x in given if isinstance(x, torch.device)]
    wrappers = {id(x.here): x for x in given if isinstance(x, Elsewhere)}
    there = NAME in devices if devices else bool(wrappers)
    inner, options = tree_map(_here, (arguments, keywords))
    result = operator(*inner, **options)
    if _recording is not None:
        _recording.add(operator, inner, options, result, stays=there)

    def outward(x: Any) -> Any:
        if not isinstance(x, Tensor) or any(x is y for y in given):
            return x
        if id(x) in wrappers:
            return wrappers[id(x)]
        return Elsewhere(x) if there else x

    return tree_map(outward, result)


def _here(x: Any) -> Any:
    if isinstance(x, torch.device):
        return HERE
    return x.here if isinstance(x, Elsewhere) else x


def _refuse_both(name: str, arguments: Sequence[Any], given: Sequence[Any]) -> None:
    if name in COPIES or not any(isinstance(x, Elsewhere) for x in given):
        return
    read = arguments[:1] if name in INDEXED and isinstance(arguments[0], Elsewhere) else given
    if any(isinstance(x, Tensor) and not isinstance(x, Elsewhere) and x.dim() for x in read):
        raise RuntimeError(f"Expected all tensors to be on the same device: {name} was given one of cpu")


# ---- graphs


class Graph:
    """Operators with the memory they ran on."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any, Any, Any]] = []

    def add(self, operator: Any, arguments: Any, keywords: Any, result: Any, *, stays: bool) -> None:
        name = operator._schema.name
        chosen = name in INDEXED and any(x.dtype == torch.bool for x in tree_leaves(arguments[1]) if x is not None)
        if name in WAITED_FOR or chosen or (name in COPIES and not stays):
            raise RuntimeError(f"operation not permitted when stream is capturing: {name}")
        if "empty" not in name:  # its memory is there
            self.calls.append((operator, arguments, keywords, result))

    def replay(self) -> None:
        for operator, arguments, keywords, result in self.calls:
            again = operator(*arguments, **keywords)
            for old, new in zip(tree_leaves(result), tree_leaves(again), strict=True):
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


_recording: Graph | None = None


def record(step: Step) -> Step:
    """As `sampling.decoding.capture_on` does for a GPU."""
    global _recording
    step()
    graph = _recording = Graph()
    try:
        scores = step()
    finally:
        _recording = None

    def replay() -> Tensor:
        graph.replay()
        return scores

    return replay


# ---- registration


class _Module(_DummyBackendModule):
    """torch.elsewhere"""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]

    def get_rng_state(self, device: Any = None) -> Tensor:  # noqa: ARG002
        return torch.empty(0)

    def set_rng_state(self, state: Tensor, device: Any = None) -> None:
        pass


@cache
def elsewhere() -> torch.device:
    """The device, known to torch from now on."""
    if "FAKE_DEVICE" not in os.environ:
        raise RuntimeError("torch would keep this device for all that this process still tests")
    _setup_privateuseone_for_python_backend(NAME, _Module())
    torch.__future__.set_swap_module_params_on_conversion(True)  # or tied weights would part on the way here
    makers, copies = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    makers.fallback(_run, "PrivateUse1")
    copies.impl("copy_", partial(_run, torch.ops.aten.copy_.default), "PrivateUse1")  # as `torch.tensor` calls it
    KEPT.extend([makers, copies])
    return torch.device(THERE)


KEPT: list[torch.library.Library] = []

"""C++ functions for tensors on a CPU, one for each type of numbers.

Whoever calls asks first whether they run, and has the same formula in torch for everything else: other devices and
types, machines without a compiler. C++ believes what it is told: callers check shapes.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from posttrain.machine.compiled import library

TYPES = {torch.float32: "float", torch.bfloat16: "bf16"}
POINTER, NUMBER, FLOAT, THREADS = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float, ctypes.c_int


class Functions:
    """Those of a source file. `signatures` has their names without the type at the end, and their arguments."""

    def __init__(self, source: Path, signatures: Mapping[str, Sequence[type]]) -> None:
        self._source, self._signatures = source, signatures

    @functools.cached_property
    def _library(self) -> ctypes.CDLL | None:
        code = library(self._source, *_openmp())
        if code is not None:
            for name, types in self._signatures.items():
                for suffix in TYPES.values():
                    function = getattr(code, f"{name}_{suffix}", None)  # some are not there for all types
                    if function is not None:
                        function.argtypes, function.restype = types, None
        return code

    def available(self) -> bool:
        """Whether this machine compiled them."""
        return self._library is not None

    def runs(self, *tensors: Tensor) -> bool:
        """Whether functions of tensors without gaps take these: one type, on a CPU."""
        return alike(*tensors) and all(x.is_contiguous() for x in tensors) and self.available()

    def has(self, name: str, dtype: torch.dtype) -> bool:
        """Whether there is this function for this type, on this processor."""
        return dtype in TYPES and hasattr(self._library, f"{name}_{TYPES[dtype]}")

    def call(self, name: str, *arguments: Tensor | float | None) -> None:
        """The function for the type of the first argument."""
        first = arguments[0]
        assert isinstance(first, Tensor)
        values = [x.data_ptr() if isinstance(x, Tensor) else x for x in arguments]
        getattr(self._library, f"{name}_{TYPES[first.dtype]}")(*values)


def alike(*tensors: Tensor) -> bool:
    """Whether they are on a CPU and of one type, for which there are functions."""
    kind = tensors[0].dtype
    return kind in TYPES and all(x.device.type == "cpu" and x.dtype == kind for x in tensors)


def _openmp() -> tuple[str, ...]:
    """Flags that link the OpenMP of torch: with another one twice as many threads would wait on the same cores."""
    folder = Path(torch.__file__).parent / "lib"
    found = sorted([*folder.glob("libgomp*.so*"), *(folder.parents[1] / "torch.libs").glob("libgomp*.so*")])
    return (str(found[0]), f"-Wl,--as-needed,-rpath,{found[0].parent}") if found else ()

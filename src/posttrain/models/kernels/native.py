"""C++ functions on CPU tensors, one for each dtype.

The caller asks first whether a function supports its tensors, and computes the same formula in torch for everything
else: other devices and dtypes, machines without a compiler. The C++ side checks nothing, so callers check shapes.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from posttrain.machine.compiled import library

SUFFIXES = {torch.float32: "float", torch.bfloat16: "bf16"}  # of the names in C++
POINTER, NUMBER, FLOAT, THREADS = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float, ctypes.c_int


class Functions:
    """The functions of one source file. `signatures`: their names without the dtype suffix, and argument types."""

    def __init__(self, source: Path, signatures: Mapping[str, Sequence[type]]) -> None:
        self._source = source
        self._signatures = signatures

    @functools.cached_property
    def _library(self) -> ctypes.CDLL | None:
        loaded = library(self._source, *_openmp())
        if loaded is not None:
            for name, types in self._signatures.items():
                for suffix in SUFFIXES.values():
                    function = getattr(loaded, f"{name}_{suffix}", None)  # some exist for one dtype only
                    if function is not None:
                        function.argtypes, function.restype = types, None
        return loaded

    def available(self) -> bool:
        """Whether the source could be compiled on this machine."""
        return self._library is not None

    def supports(self, *tensors: Tensor) -> bool:
        """Whether the functions accept these tensors: contiguous, on a CPU, of one supported dtype."""
        return same_cpu_dtype(*tensors) and all(x.is_contiguous() for x in tensors) and self.available()

    def has(self, name: str, dtype: torch.dtype) -> bool:
        """Whether this function exists for this dtype, on this processor."""
        return dtype in SUFFIXES and hasattr(self._library, f"{name}_{SUFFIXES[dtype]}")

    def call(self, name: str, *arguments: Tensor | float | None) -> None:
        """Call the function for the dtype of the first argument."""
        first = arguments[0]
        assert isinstance(first, Tensor)
        values = [x.data_ptr() if isinstance(x, Tensor) else x for x in arguments]
        getattr(self._library, f"{name}_{SUFFIXES[first.dtype]}")(*values)


def same_cpu_dtype(*tensors: Tensor) -> bool:
    """Whether all tensors are on a CPU and have the same supported dtype."""
    dtype = tensors[0].dtype
    return dtype in SUFFIXES and all(x.device.type == "cpu" and x.dtype == dtype for x in tensors)


def _openmp() -> tuple[str, ...]:
    """Flags that link torch's OpenMP. A second one would start as many threads again on the same cores."""
    folder = Path(torch.__file__).parent / "lib"
    libraries = sorted([*folder.glob("libgomp*.so*"), *(folder.parents[1] / "torch.libs").glob("libgomp*.so*")])
    return (str(libraries[0]), f"-Wl,--as-needed,-rpath,{libraries[0].parent}") if libraries else ()

"""Keep freed memory in the process, for the next step of training to reuse.

The C library returns large freed blocks to the system, which hands them out again page by page, zeroed. A training step
allocates gigabytes in such blocks, so a third of its time would go to page faults. The memory that is kept must not
fragment, and the caches of libraries must not grow with every new shape.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from pathlib import Path

from posttrain.machine.compiled import library

# Parameters of mallopt(3).
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
NEVER, AHEAD = 2**31 - 1, 2**26  # bytes
SET_BY_THE_USER = ("GLIBC_TUNABLES", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")

# How many primitives (matrix products of one shape) oneDNN and torch's wrapper cache, each about half a megabyte.
# Packed rows have new shapes at every step; one micro-batch needs a few dozen over all layers.
PRIMITIVE_CACHES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128", "LRU_CACHE_CAPACITY": "128"}


def keep_freed_memory() -> bool:
    """Keep freed memory in this process, on Linux with glibc. Returns False where that cannot be set.

    Call it before torch allocates. What the user has set in the environment is not changed.
    """
    for name, value in PRIMITIVE_CACHES.items():
        os.environ.setdefault(name, value)
    if not sys.platform.startswith("linux") or any(name in os.environ for name in SET_BY_THE_USER):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or "malloc" in os.environ.get("LD_PRELOAD", ""):  # another C library, or the user's own malloc
        return False
    settings = {MMAP_MAX: 0, TRIM_THRESHOLD: NEVER, TOP_PAD: AHEAD}
    accepted = all(mallopt(name, value) == 1 for name, value in settings.items())
    if accepted:
        install_allocator()
    return accepted


@functools.cache
def install_allocator() -> bool:
    """Let torch allocate CPU tensors in one range of addresses, without gaps. False if that cannot be compiled."""
    import torch

    folder = Path(torch.__file__).parent
    headers = (
        f"-DTORCH={torch.__version__}",
        f"-I{folder / 'include'}",
    )  # another version of torch needs another library
    links = f"-L{folder / 'lib'}", "-lc10", f"-Wl,-rpath,{folder / 'lib'}"
    code = library(Path(__file__).with_suffix(".cpp"), *headers, *links)
    if code is None:
        return False
    code.install.argtypes, code.install.restype = [ctypes.c_size_t], ctypes.c_int
    return bool(code.install(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))

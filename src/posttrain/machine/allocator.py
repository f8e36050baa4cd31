"""Memory that a run frees and asks for again a moment later.

The C library hands large freed blocks back to the system, which gives them out again page by page, zeroed. A training
step asks for gigabytes of such blocks: without this, a third of its time goes to page faults. What stays with the
process should be given out again without gaps, and the caches of libraries should not grow with every new shape.
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

# How many matrix products oneDNN and torch's wrapper keep prepared, each about half a megabyte. Packed rows have new
# shapes at every step; one micro-batch uses a few dozen, at all layers.
PREPARED = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128", "LRU_CACHE_CAPACITY": "128"}


def keep_freed_memory() -> bool:
    """Keep freed memory for this process. False where that cannot be set.

    Linux with glibc. Call it before torch allocates; what the user set in the environment stays as it is.
    """
    for name, value in PREPARED.items():
        os.environ.setdefault(name, value)
    if not sys.platform.startswith("linux") or any(name in os.environ for name in SET_BY_THE_USER):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or "malloc" in os.environ.get("LD_PRELOAD", ""):  # another C library, or the user's own malloc
        return False
    settings = {MMAP_MAX: 0, TRIM_THRESHOLD: NEVER, TOP_PAD: AHEAD}
    kept = all(mallopt(name, value) == 1 for name, value in settings.items())
    if kept:
        without_gaps()
    return kept


@functools.cache
def without_gaps() -> bool:
    """Whether torch's tensors on the CPU lie in a range of addresses of their own (`allocator.cpp`)."""
    import torch

    folder = Path(torch.__file__).parent
    headers = f"-DTORCH={torch.__version__}", f"-I{folder / 'include'}"  # another torch: another library
    links = f"-L{folder / 'lib'}", "-lc10", f"-Wl,-rpath,{folder / 'lib'}"
    code = library(Path(__file__).with_suffix(".cpp"), *headers, *links)
    if code is None:
        return False
    code.install.argtypes, code.install.restype = [ctypes.c_size_t], ctypes.c_int
    return bool(code.install(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))

"""Memory that a run frees and asks for again a moment later.

The C library hands large freed blocks back to the system, which gives them out again page by page, zeroed. A training
step asks for gigabytes of such blocks: without this, a third of its time goes to page faults.
"""

from __future__ import annotations

import ctypes
import os
import sys

# Parameters of mallopt(3).
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
NEVER, AHEAD = 2**31 - 1, 2**26  # bytes
SET_BY_THE_USER = ("GLIBC_TUNABLES", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def keep_freed_memory() -> bool:
    """Keep freed memory for this process. False where that cannot be set.

    Not in huge pages: torch begins each of its tensors at a page of 2 MiB then, and what lies between them is lost.
    Linux with glibc. Call it before torch allocates; what the user set in the environment stays as it is.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in SET_BY_THE_USER):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library
        return False
    settings = {MMAP_MAX: 0, TRIM_THRESHOLD: NEVER, TOP_PAD: AHEAD}
    return all(mallopt(name, value) == 1 for name, value in settings.items())

"""Limits on what a program may use."""

from __future__ import annotations

import math
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of one program. `seconds` is wall-clock time from its first instruction; sizes are in bytes."""

    seconds: float = 3.0
    memory: int = 512 * MIB  # address space
    output: int = MIB  # standard output, and as much again of standard error
    file: int = 4 * MIB  # one file, and all temporary files together
    threads: int = 32
    descriptors: int = 64
    numpy: bool = False  # whether it may import numpy, in a tier that can hold it (sandbox/packages.py)
    tools: bool = False  # whether it may become another program, such as a compiler; it never starts one beside itself

    def rlimits(self, *, count_threads: bool) -> dict[str, int]:
        """Map constants of the module `resource` to their values.

        The kernel counts threads per user, so they can be limited only where no other process runs as that user.
        """
        limits = {
            "RLIMIT_AS": self.memory,
            "RLIMIT_CPU": math.ceil(self.seconds) + 1,  # the clock stops it first, unless it has threads
            "RLIMIT_FSIZE": self.file,
            "RLIMIT_NOFILE": self.descriptors,
            "RLIMIT_CORE": 0,
            "RLIMIT_MEMLOCK": 0,
            "RLIMIT_MSGQUEUE": 0,
        }
        return {**limits, "RLIMIT_NPROC": self.threads} if count_threads else limits

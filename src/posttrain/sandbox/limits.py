"""How much a program may use."""

from __future__ import annotations

import math
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Of one program. `seconds` is wall-clock time from its first instruction; the sizes are bytes."""

    seconds: float = 3.0
    memory: int = 512 * MIB  # address space
    output: int = MIB  # standard output, and the same again of standard error
    file: int = 4 * MIB  # one file, and all of a folder for temporary ones
    threads: int = 32
    descriptors: int = 64

    def of_the_kernel(self, *, count_threads: bool) -> dict[str, int]:
        """Names of the module `resource` and their values.

        Threads are counted for each user: they can be limited only where no other process has the same one.
        """
        made = {
            "RLIMIT_AS": self.memory,
            "RLIMIT_CPU": math.ceil(self.seconds) + 1,  # the clock comes first, unless there are threads
            "RLIMIT_FSIZE": self.file,
            "RLIMIT_NOFILE": self.descriptors,
            "RLIMIT_CORE": 0,
            "RLIMIT_MEMLOCK": 0,
            "RLIMIT_MSGQUEUE": 0,
        }
        return {**made, "RLIMIT_NPROC": self.threads} if count_threads else made

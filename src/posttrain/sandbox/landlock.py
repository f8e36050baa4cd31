"""Tier B: no namespaces, for containers that refuse them. Landlock confines files, seccomp everything else."""

from __future__ import annotations

import os
from dataclasses import dataclass

from posttrain.sandbox.filter import instructions
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.packages import refuse
from posttrain.sandbox.tier import Name, Restrictions, interpreter


@dataclass(frozen=True)
class Landlock:
    """A process that sees Python's libraries and can write no file."""

    name: Name = "landlock"
    own_user: bool = True

    def command(self, limits: Limits) -> list[str]:
        refuse(self.name, limits)
        return [interpreter()]

    def restrictions(self, pid: int, limits: Limits) -> Restrictions:
        kernel = limits.rlimits(count_threads=os.geteuid() == 0)
        return Restrictions(kernel, True, instructions(pid))

"""No sandbox, only for `sandbox: none`: a process with resource limits that may do everything its user may."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from posttrain.sandbox.limits import Limits
from posttrain.sandbox.packages import in_the_open
from posttrain.sandbox.tier import Name, Restrictions


@dataclass(frozen=True)
class Plain:
    """Used only when the user asks for it by name."""

    name: Name = "none"
    own_user: bool = False

    def command(self, limits: Limits) -> list[str]:
        return [*in_the_open(limits), sys.executable]

    def restrictions(self, pid: int, limits: Limits) -> Restrictions:  # noqa: ARG002
        return Restrictions(limits.rlimits(count_threads=False), False, b"")

"""Where the programs of a run are executed: a sandbox of this machine, and its limits."""

from __future__ import annotations

from typing import cast

from posttrain.sandbox.availability import Choice, choose
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.tier import Tier


def isolation(sandbox: str, *, seconds: float, numpy: bool) -> tuple[Tier, Limits]:
    """Return the sandbox of this name, or the best of the machine for `auto`, and the limits of a program in it.

    Raises SandboxError where there is none, and where it cannot hold numpy that is asked for.
    """
    limits, tier = Limits(seconds=seconds, numpy=numpy), choose(cast(Choice, sandbox))
    tier.command(limits)
    return tier, limits

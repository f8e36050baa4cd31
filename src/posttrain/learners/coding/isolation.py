"""Where the programs of a run are executed: a sandbox of this machine, and its limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from posttrain.errors import SandboxError
from posttrain.sandbox.availability import Choice, choose
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.served import Calls, Served
from posttrain.sandbox.tier import Tier


def isolation(sandbox: str, *, seconds: float, numpy: bool) -> tuple[Tier, Limits]:
    """Return the sandbox of this name, or the best of the machine for `auto`, and the limits of a program in it.

    Raises SandboxError where there is none, and where it cannot hold numpy that is asked for.
    """
    limits, tier = Limits(seconds=seconds, numpy=numpy), choose(cast(Choice, sandbox))
    tier.command(limits)
    return tier, limits


def called(
    tier: Tier, program: str, limits: Limits, function: str, batches: Sequence[Sequence[Sequence[Any]]]
) -> list[Calls]:
    """Call a function of a program with batches of rows of arguments, all in one process.

    A sandbox that fails is tried twice. Raises SandboxError then, since its failure says nothing of the program.
    """
    reason = ""
    for _ in range(2):
        try:
            with Served(tier, program, limits, batches=len(batches)) as served:
                calls = [served.call(function, rows) for rows in batches]
        except OSError as error:
            reason = f"it cannot be started: {error}"
            continue
        problems = [c.problem for c in calls if c.problem is not None]
        failures = [p.reason for p in problems if p.verdict == "infrastructure error"]
        if not failures:
            return calls
        reason = failures[0]
    raise SandboxError(f"a program was not run, twice: {reason}")

"""The CPU time of programs, as the kernel counts it: no program can change it, and other work hardly moves it.

Counting instructions inside the program's own process would be exact, but the program could stop the count.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from statistics import median

from posttrain.sandbox import reader
from posttrain.sandbox.box import Box
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.tier import Tier
from posttrain.sandbox.verdict import Judgement, exit_problem

EMPTY = 5  # runs of an empty program


def cpu_seconds(tier: Tier, program: str, inputs: Sequence[str], limits: Limits, repeats: int) -> float | Judgement:
    """Return the CPU time of a program on all inputs, without that of its start: the median of some runs.

    A program that breaks a limit or fails in a run has a judgement in place of it.
    """
    start = _start(tier, limits)
    runs: list[float] = []
    for _ in range(repeats):
        total = 0.0
        for text in inputs:
            used = _once(tier, program, text, limits)
            if isinstance(used, Judgement):
                return used
            total += used - start
        runs.append(total)
    return median(runs)


@cache
def _start(tier: Tier, limits: Limits) -> float:
    """The CPU time of an empty program: starting Python and dropping its rights."""
    used = [_once(tier, "", "", limits) for _ in range(EMPTY)]
    return median([seconds for seconds in used if isinstance(seconds, float)] or [0.0])


def _once(tier: Tier, program: str, text: str, limits: Limits) -> float | Judgement:
    try:
        with Box(tier, "program.run", limits, source=program) as box:
            box.send(text.encode(errors="replace"))
            box.finish_input()
            reader.run(box)
    except OSError as error:
        return Judgement("infrastructure error", f"the sandbox cannot be started: {error}")
    return exit_problem(box) or box.cpu

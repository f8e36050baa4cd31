"""Leveraging Reinforcement Learning and Large Language Models for Code Optimization (Duan et al., 2023): PerfRL.

    R = -1                                  the program does not compile
        -1/2 (1 - share of passed tests)    it fails some of them
        1 + min(max(log(t*/t), 0), c)       it passes all of them in the time t; the reference takes t*

A program that skips work and fails never outranks one that is right. Times are CPU time as the kernel counts it, the
median of several runs, without the start of Python; the reference is timed on the same machine in the same call. The
paper's constants are not public; these are ours.

The program is the last block of Python in the completion, or all of it. The column `tests` is a list of
`{input, output}` (standard input and output), as for `python_tests`; `reference` is a program that passes them.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence

from posttrain.rewards.bundled.python_tests import program_of
from posttrain.sandbox.availability import Choice, choose
from posttrain.sandbox.judging import Case, judge_cases
from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.tier import Tier
from posttrain.sandbox.timing import cpu_seconds
from posttrain.sandbox.verdict import Judgement

UNCOMPILED, WRONG = -1.0, -0.5


def speed_up(
    completions: list[str],
    tests: list[list[Mapping[str, str]] | None],
    reference: list[str | None],
    *,
    most: float = 1.0,
    repeats: int = 3,
    least: float = 0.01,
    sandbox: Choice = "auto",
    seconds: float = 3.0,
    memory: int = 512,
) -> list[float | RuntimeError | None]:
    """1 and the logarithm of the speed-up for a right program, 0 or less for a wrong one. Abstains without tests.

    Where the sandbox fails there is an error in place of the score; so is there where the reference fails.
    Raises SandboxError where there is no sandbox.

    Settings:
        most: c, largest reward for speed; 0 (the tests alone) or more, where 1 is a speed-up of e = 2.7.
        repeats: runs of a program, of which the median counts; at least 1.
        least: seconds below which times are not told apart; above 0.
        sandbox: name of the sandbox: auto (the best one here), bubblewrap, landlock or none (unprotected).
        seconds: time limit of a program; above 0.
        memory: memory limit of a program in MiB; at least 1, 512 by default.
    """
    tier, limits = choose(sandbox), Limits(seconds=seconds, memory=memory * MIB)
    known: dict[tuple[str, str], float | Judgement] = {}

    def timed(program: str, cases: Sequence[Case]) -> float | Judgement:
        inputs = [case.input for case in cases]
        key = (program, "\0".join(inputs))
        if key not in known:
            known[key] = cpu_seconds(tier, program, inputs, limits, repeats)
        return known[key]

    scores: list[float | RuntimeError | None] = []
    for completion, given, fastest in zip(completions, tests, reference, strict=True):
        if given is None or fastest is None:
            scores.append(None)
            continue
        cases, program = [Case(test["input"], test["output"]) for test in given], program_of(completion)
        verdict = _tested(tier, program, cases, limits)
        if verdict == 1.0 and most > 0:
            verdict = _faster(timed(program, cases), timed(fastest, cases), most, least)
        scores.append(verdict)
    return scores


def _tested(tier: Tier, program: str, cases: Sequence[Case], limits: Limits) -> float | RuntimeError:
    """Score the tests alone: 1 where the program passes all of them."""
    if not cases:
        raise ValueError("the column tests is empty")
    if not _compiles(program):
        return UNCOMPILED
    judgements = [judge_cases(tier, program, [case], limits) for case in cases]
    if broken := [j for j in judgements if j.verdict == "infrastructure error"]:
        return RuntimeError(f"not judged, twice: {broken[0].reason}")
    passed = sum(j.verdict == "passed" for j in judgements) / len(cases)
    return 1.0 if passed == 1 else WRONG * (1 - passed)


def _faster(own: float | Judgement, reference: float | Judgement, most: float, least: float) -> float | RuntimeError:
    """Score a program that passes its tests by its time and that of the reference."""
    if isinstance(own, Judgement):
        return RuntimeError(f"the program could not be timed: {own.reason}")
    if isinstance(reference, Judgement):
        return RuntimeError(f"the column reference could not be timed: {reference.reason}")
    return 1.0 + min(max(math.log(max(reference, least) / max(own, least)), 0.0), most)


def _compiles(program: str) -> bool:
    try:
        ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True

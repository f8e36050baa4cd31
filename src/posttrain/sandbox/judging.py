"""Does a program do what its tests ask for? The verdict is decided where the program cannot reach it.

Of a case the program sees the input; its output is compared with the expected one here. Assert-style tests run in a
sandbox of their own: they call the program in another one and get plain values back. Neither an expected value nor the
verdict is ever in a process that runs the program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from posttrain.sandbox import reader
from posttrain.sandbox.box import Box
from posttrain.sandbox.inside.judge import BROKEN, FAILED, GONE, PASSED
from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.tier import Tier
from posttrain.sandbox.verdict import Judgement, exit_problem, last_line

_MESSAGES = 64 * MIB  # bytes between tests and program


@dataclass(frozen=True)
class Case:
    """Standard input, and the expected standard output. White space at the end of lines is ignored."""

    input: str
    output: str


def judge_cases(tier: Tier, program: str, cases: Sequence[Case], limits: Limits) -> Judgement:
    """Run the program on each case until one fails. The time limit is for all of them together."""
    return _with_retry(lambda: _cases(tier, program, cases, limits))


def judge_tests(
    tier: Tier, program: str, tests: str, limits: Limits, *, entry_point: str | None = None, starter: str = ""
) -> Judgement:
    """Run assert-style tests, or HumanEval's `check(candidate)`, on what the program defines."""
    return _with_retry(lambda: _tests(tier, program, tests, limits, entry_point, starter))


def _with_retry(attempt: Callable[[], Judgement]) -> Judgement:
    """Try once more after an infrastructure error."""
    for _ in range(2):
        try:
            judgement = attempt()
        except OSError as error:
            judgement = Judgement("infrastructure error", f"the sandbox cannot be started: {error}")
        if judgement.verdict != "infrastructure error":
            break
    return judgement


def _cases(tier: Tier, program: str, cases: Sequence[Case], limits: Limits) -> Judgement:
    left = limits.seconds
    for number, case in enumerate(cases, 1):
        with Box(tier, "program.run", replace(limits, seconds=left), source=program) as box:
            box.send(case.input.encode(errors="replace"))
            box.finish_input()
            reader.run(box)
            left = box.remaining
        problem = exit_problem(box)
        if problem is None and _lines(box.output.decode(errors="replace")) != _lines(case.output):
            problem = Judgement("failed", "wrote something else")
        if problem is not None:
            return replace(problem, reason=f"case {number}: {problem.reason}")
    return Judgement("passed")


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().split("\n")]


def _tests(tier: Tier, program: str, tests: str, limits: Limits, entry_point: str | None, starter: str) -> Judgement:
    messages = replace(limits, output=_MESSAGES)
    with ExitStack() as stack:
        candidate = stack.enter_context(Box(tier, "candidate.serve", messages, source=program))
        arguments = {"tests": tests, "entry_point": entry_point, "starter": starter}
        judge = stack.enter_context(Box(tier, "judge.judge", messages, **arguments))
        reader.connect(judge, candidate)
        reader.run(judge, candidate)
        if judge.code == GONE:
            candidate.finish_input()
            reader.run(candidate)
        return _judgement(judge, candidate)


def _judgement(judge: Box, candidate: Box) -> Judgement:
    """Return the judge's verdict, unless the program broke a limit or its connection to the judge."""
    reason = last_line(judge.errors)
    if judge.code == BROKEN:
        return Judgement("infrastructure error", reason)
    if candidate.flooded or candidate.timed_out or judge.code == GONE:
        return exit_problem(candidate) or Judgement("failed", reason)
    if judge.code in (PASSED, FAILED):
        return Judgement("passed" if judge.code == PASSED else "failed", reason)
    return exit_problem(judge) or Judgement("infrastructure error", "the tests end their own process")

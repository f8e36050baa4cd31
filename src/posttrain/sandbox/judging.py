"""Does a program do what its tests ask for? The verdict is reached out of the program's reach.

Of input and output cases the program sees the input; what it should write is compared here. Assert-style tests run
in a sandbox of their own: they call the program in another one and get plain values back. Neither an expected value
nor the verdict is ever in a process that runs the program.
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
from posttrain.sandbox.verdict import Judgement, ending, last_line

_MESSAGES = 64 * MIB  # bytes between tests and program


@dataclass(frozen=True)
class Case:
    """What is on standard input, and what should be on standard output. White space at the end of lines is free."""

    input: str
    output: str


def judge_cases(tier: Tier, program: str, cases: Sequence[Case], limits: Limits) -> Judgement:
    """Run the program on each case until one fails. The time is for all of them together."""
    return _twice(lambda: _cases(tier, program, cases, limits))


def judge_tests(
    tier: Tier, program: str, tests: str, limits: Limits, *, entry_point: str | None = None, starter: str = ""
) -> Judgement:
    """Run assert-style tests, or HumanEval's `check(candidate)`, on what the program defines."""
    return _twice(lambda: _tests(tier, program, tests, limits, entry_point, starter))


def _twice(attempt: Callable[[], Judgement]) -> Judgement:
    """An infrastructure error gets a second chance."""
    for _ in range(2):
        try:
            found = attempt()
        except OSError as error:
            found = Judgement("infrastructure error", f"the sandbox cannot be started: {error}")
        if found.verdict != "infrastructure error":
            break
    return found


def _cases(tier: Tier, program: str, cases: Sequence[Case], limits: Limits) -> Judgement:
    left = limits.seconds
    for number, case in enumerate(cases, 1):
        with Box(tier, "program.run", replace(limits, seconds=left), source=program) as box:
            box.send(case.input.encode(errors="replace"))
            box.finish_input()
            reader.run(box)
            left = box.remaining
        wrong = ending(box)
        if wrong is None and _lines(box.output.decode(errors="replace")) != _lines(case.output):
            wrong = Judgement("failed", "wrote something else")
        if wrong is not None:
            return replace(wrong, reason=f"case {number}: {wrong.reason}")
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
        return _weighed(judge, candidate)


def _weighed(judge: Box, candidate: Box) -> Judgement:
    """The judge has the word, unless the program broke a limit or the judge could not speak to it."""
    said = last_line(judge.errors)
    if judge.code == BROKEN:
        return Judgement("infrastructure error", said)
    if candidate.flooded or candidate.late or judge.code == GONE:
        return ending(candidate) or Judgement("failed", said)
    if judge.code in (PASSED, FAILED):
        return Judgement("passed" if judge.code == PASSED else "failed", said)
    return ending(judge) or Judgement("infrastructure error", "the tests end their own process")

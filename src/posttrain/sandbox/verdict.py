"""Verdicts on programs that a model wrote."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal

from posttrain.sandbox.box import START_SECONDS, Box
from posttrain.sandbox.inside.program import RESOURCE

Verdict = Literal["passed", "failed", "timeout", "resource", "forbidden", "infrastructure error"]
"""timeout: out of time; resource: out of memory or output; forbidden: a system call that no honest program makes;
infrastructure error: the program could not be judged. It is tried once more, and never becomes a score."""
_LONGEST = 300  # characters of a reason


@dataclass(frozen=True)
class Judgement:
    """A verdict, and the reason in one line."""

    verdict: Verdict
    reason: str = ""


def exit_problem(box: Box) -> Judgement | None:
    """Judge how a program ended; None if it ended by itself with exit code 0."""
    if not box.ready:
        detail = f"within {START_SECONDS:g} s" if box.timed_out else f"(exit code {box.code})"
        return Judgement("infrastructure error", f"the sandbox did not start {detail}: {last_line(box.errors)}")
    if box.flooded:
        return Judgement("resource", f"wrote more than {box.limits.output} bytes")
    if box.timed_out or box.code == -signal.SIGXCPU:
        return Judgement("timeout", f"ran for more than {box.limits.seconds:g} s")
    if box.code == -signal.SIGSYS:
        return Judgement("forbidden", "made a system call that is not allowed")
    if box.code == RESOURCE:
        return Judgement("resource", f"needed more than {box.limits.memory} bytes of memory")
    if box.code is not None and box.code < 0:
        return Judgement("failed", f"ended by signal {-box.code}")
    if box.code:
        return Judgement("failed", last_line(box.errors) or f"exit code {box.code}")
    return None


def last_line(text: bytes) -> str:
    """Return the last line that a program printed, without control characters."""
    lines = text[-10 * _LONGEST :].decode(errors="replace").strip().splitlines()
    return "".join(c if c.isprintable() else "\ufffd" for c in lines[-1])[:_LONGEST] if lines else ""

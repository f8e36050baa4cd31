"""A program in a sandbox whose functions are called from here: one process, many calls.

The other side is `inside.candidate.serve`. What comes back is plain data or the name of an exception; whatever else the
program does ends the calls with a judgement, and never reaches this process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, NoReturn, Self

from posttrain.sandbox import reader
from posttrain.sandbox.box import Box
from posttrain.sandbox.inside.wire import decode, encode
from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.tier import Tier
from posttrain.sandbox.verdict import Judgement, exit_problem

LONGEST = MIB  # bytes of one reply
NOT_DATA = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, UnicodeError)
BROKEN = Judgement("failed", "sent something that is no reply to a call")


@dataclass(frozen=True)
class Returned:
    """What a call returned."""

    value: Any


@dataclass(frozen=True)
class Raised:
    """What a call raised, or why what it returned is no plain data."""

    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


Outcome = Returned | Raised


@dataclass(frozen=True)
class Calls:
    """The outcomes of calls in their order, and the judgement that ended them before their end, if any did."""

    outcomes: list[Outcome]
    problem: Judgement | None = None

    @property
    def first_problem(self) -> str | None:
        """Return what went wrong first, in words; None where all calls returned."""
        raised = next((f"raised {o}" for o in self.outcomes if isinstance(o, Raised)), None)
        return raised or (f"{self.problem.verdict}: {self.problem.reason}" if self.problem else None)


class Served:
    """Calls the functions of a program. The process starts with the first call and ends with the context.

    `limits`: their `seconds` are for each batch of calls; the first one includes what the program does when it is
    defined. `batches`: how many there will be, at most, since the kernel counts the CPU time of all of them together.
    Raises OSError where the sandbox cannot be started, and SandboxError where it cannot hold what the limits ask for.
    """

    def __init__(self, tier: Tier, program: str, limits: Limits, *, batches: int = 1) -> None:
        self.seconds = limits.seconds
        messages = replace(limits, seconds=limits.seconds * batches, output=64 * LONGEST)
        self._box = Box(tier, "candidate.serve", messages, source=program)
        self._inbox = bytearray()
        self._box.listener = self._inbox.extend
        self._problem: Judgement | None = None

    def call(self, function: str, rows: Sequence[Sequence[Any]]) -> Calls:
        """Call a function of the program with each row of arguments, one after the other, in one batch."""
        if self._problem is None and self._inbox:
            self._problem = BROKEN
        if self._problem is not None:
            return Calls([], self._problem)
        for row in rows:
            arguments = [encode(item, _no_object) for item in row]
            self._send({"of": function, "path": [], "arguments": arguments, "keywords": {}})
        reader.until(self._box, lambda: self._box.ready)
        self._box.start_clock(self.seconds)
        outcomes: list[Outcome] = []
        while len(outcomes) < len(rows) and self._problem is None:
            if (body := self._reply()) is None:
                self._problem = self._problem or self._end()
            elif (outcome := _outcome(body)) is None:
                self._problem = BROKEN
            else:
                outcomes.append(outcome)
        return Calls(outcomes, self._problem)

    def _end(self) -> Judgement:
        """Say why there will be no more replies."""
        if self._box.ready and self._box.timed_out:
            return Judgement("timeout", f"ran for more than {self.seconds:g} s")
        return exit_problem(self._box) or Judgement("failed", "ended its own process")

    def _send(self, request: Any) -> None:
        body = json.dumps(request).encode()
        self._box.send(len(body).to_bytes(8, "big") + body)

    def _reply(self) -> bytes | None:
        """Wait for the next reply and take it; None where there will be none."""
        reader.until(self._box, self._whole)
        if self._problem is not None or not self._whole():
            return None
        size = int.from_bytes(self._inbox[:8], "big")
        body = bytes(self._inbox[8 : 8 + size])
        del self._inbox[: 8 + size]
        return body

    def _whole(self) -> bool:
        """Whether a whole reply has arrived, or one has begun that is too long to be one."""
        if len(self._inbox) < 8:
            return False
        size = int.from_bytes(self._inbox[:8], "big")
        if size > LONGEST:
            self._problem = Judgement("resource", f"a reply of more than {LONGEST} bytes")
            return True
        return len(self._inbox) >= 8 + size

    def __enter__(self) -> Self:
        self._box.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._box.__exit__(kind, error, trace)


def _outcome(body: bytes) -> Outcome | None:
    """Read a reply; None for what the server never sends."""
    try:
        reply = json.loads(body)
        if "raised" in reply:
            return Raised(_line(reply["raised"]), _line(reply["message"]))
        return Returned(decode(reply["value"], _not_plain))
    except _ObjectError:
        return Raised("TypeError", "returned an object that is no plain data (numbers, text, lists, dictionaries)")
    except NOT_DATA:
        return None


def _line(text: Any) -> str:
    """Return text on one line without control characters, since a model or a terminal will read it."""
    if not isinstance(text, str):
        raise TypeError(text)
    return "".join(c if c.isprintable() else " " for c in text)[:300]


class _ObjectError(Exception):
    """A reply refers to an object that stays in the sandbox."""


def _not_plain(reference: Any) -> NoReturn:
    raise _ObjectError(reference)


def _no_object(value: Any) -> NoReturn:
    raise TypeError(f"only plain data can be sent into a sandbox, not {type(value).__name__}")

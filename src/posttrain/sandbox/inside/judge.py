"""Runs the tests in a sandbox of their own. They reach the program by messages, which carry values and no code."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NoReturn

from posttrain.sandbox.inside.program import RESOURCE, ready
from posttrain.sandbox.inside.wire import decode, encode, receive, send

PASSED, FAILED, GONE, BROKEN = 90, 91, 92, 93  # exit codes; no program of a model runs in this process
_called = [0]


class Remote:
    """A name in the program, or an object that it returned, and a path of attributes from there."""

    __slots__ = ("_of", "_path")

    def __init__(self, of: str | int, path: tuple[str, ...] = ()) -> None:
        self._of, self._path = of, path

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        _called[0] += 1
        sent = [encode(item, _refer) for item in arguments]
        named = {key: encode(item, _refer) for key, item in keywords.items()}
        reply = _ask({"of": self._of, "path": self._path, "arguments": sent, "keywords": named})
        if reply.get("arguments"):
            _put_back(arguments, reply["arguments"])
        return _value(reply)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        path = (*self._path, name)
        value = _value(_ask({"of": self._of, "path": path}))
        return Remote(self._of, path) if isinstance(value, Remote) else value

    def __iter__(self) -> Iterator[Any]:
        following = Remote(Remote(self._of, (*self._path, "__iter__"))()._of, ("__next__",))
        while True:
            try:
                item = following()
            except StopIteration:
                return
            yield item


class Names(dict[str, Any]):
    """Names as the tests see them: their own, Python's, and all others are the program's."""

    def __missing__(self, name: str) -> Remote:
        if name.startswith("__") or hasattr(builtins, name):
            raise KeyError(name)
        return Remote(name)


def judge(tests: str, entry_point: str | None, starter: str) -> NoReturn:
    """Run assert-style tests, or HumanEval's `check(candidate)`, and exit with the verdict.

    `starter` is the given beginning of the program: functions that it defines, other than the entry point, are the
    tests' own, because the program could have replaced them.
    """
    ready()
    names = Names(__name__="tests")
    _define(starter, names)
    if entry_point:
        names[entry_point] = Remote(entry_point)
    try:
        code = compile(tests, "tests", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        _end(BROKEN, f"the tests cannot be compiled: {error}")
    try:
        exec(code, names)  # noqa: S102 -- what a sandbox is for
        if entry_point and "check" in names:
            names["check"](names[entry_point])
    except MemoryError:
        _end(RESOURCE, "out of memory in the tests")
    except BaseException as error:  # noqa: BLE001 -- whatever a test raises, it did not pass
        _end(FAILED, f"{_line(error.__traceback__, tests)}{type(error).__name__}: {error}")
    if not _called[0]:
        _end(BROKEN, "the tests never call the program; HumanEval's check(candidate) needs the column entry_point")
    _end(PASSED, "")


def _define(starter: str, names: Names) -> None:
    """Run the starter. It may stop in the middle of a function; then nothing of it is defined here."""
    try:
        exec(compile(starter, "starter", "exec", dont_inherit=True), names)  # noqa: S102 -- part of the tests
    except (SyntaxError, ValueError):
        return


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    """Send a request and return the reply. A broken protocol ends the process at once: a test must not catch that."""
    try:
        send(1, request)
        reply = receive(0)
        if not isinstance(reply, dict):
            raise TypeError(reply)
        return reply
    except (OSError, EOFError, ValueError, TypeError, RecursionError):
        _end(GONE, "the program ended, or broke its connection")


def _value(reply: dict[str, Any]) -> Any:
    try:
        if "value" in reply:
            return decode(reply["value"], _attach)
        kind, message = vars(builtins)[reply["raised"]], str(reply["message"])
        error = kind(message) if issubclass(kind, Exception) else None
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError, RecursionError):
        _end(GONE, "the program sent something that is no value")
    if error is None:
        _end(GONE, "the program ended")
    raise error


def _attach(number: Any) -> Remote:
    if not isinstance(number, int):
        raise TypeError(number)
    return Remote(number)


def _refer(value: Any) -> dict[str, Any]:
    if not isinstance(value, Remote):
        _end(BROKEN, f"the tests hand a {type(value).__name__} to the program; only data can be sent there")
    return {"of": value._of, "path": value._path}


def _put_back(arguments: tuple[Any, ...], after: list[Any]) -> None:
    """Copy the arguments back: a function that works in place has changed its own copies."""
    try:
        for old, new in zip(arguments, (decode(item, _attach) for item in after), strict=True):
            if type(old) is type(new) and isinstance(old, list | bytearray):
                old[:] = new
            elif type(old) is type(new) and isinstance(old, dict | set):
                old.clear()
                old.update(new)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        _end(GONE, "the program sent something that is no value")


def _line(trace: TracebackType | None, tests: str) -> str:
    """Return the line of the tests that failed."""
    lines, line = tests.splitlines(), ""
    while trace:
        if trace.tb_frame.f_code.co_filename == "tests" and trace.tb_lineno <= len(lines):
            line = f"{lines[trace.tb_lineno - 1].strip()[:200]}: "
        trace = trace.tb_next
    return line


def _end(code: int, reason: str) -> NoReturn:
    sys.stderr.write(reason[:2000])
    sys.stderr.flush()
    os._exit(code)

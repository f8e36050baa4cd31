"""Execute a call: whatever goes wrong in it is a text that the policy reads, and never ends the episode."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from posttrain.environments.environment import Call, Tool
from posttrain.environments.tools.schema import name_of, parameters_of, schema_of, schemas_of
from posttrain.environments.tools.validate import ArgumentError, checked
from posttrain.errors import ConfigError

AGAIN = 0.1  # seconds after which a tool that swallows its end is told once more


@dataclass(frozen=True)
class Result:
    """What a call came to, as a text. `failed` says why it came to nothing: unknown, arguments, raised or slow."""

    text: str
    failed: str = ""


class _TimeUp(BaseException):
    """Not an error of the tool, and none that its `except Exception` takes."""


class Toolbox:
    """The tools of an episode, by name, with their schemas. Raises ConfigError for tools without a schema.

    `seconds`: time for one call, where it runs in the main thread; 0 for no limit. `longest`: characters of a result,
    of which more are cut with a word.
    """

    def __init__(self, tools: Sequence[Tool], *, seconds: float = 10.0, longest: int = 8000) -> None:
        self.schemas = schemas_of(tools)
        if bare := [name_of(schema_of(tool)) for tool in tools if not callable(tool)]:
            raise ConfigError(f"the tool {bare[0]!r} is a schema, which nobody can call; give a function")
        self._tools: dict[str, Any] = {name_of(schema): tool for schema, tool in zip(self.schemas, tools, strict=True)}
        self._parameters = {name_of(schema): parameters_of(schema) for schema in self.schemas}
        self.seconds = seconds
        self.longest = longest

    def call(self, call: Call) -> Result:
        """Execute a call. Raises TypeError where the tool returns what is neither text nor plain data."""
        if call.name not in self._tools:
            known = f"the tools are {', '.join(self._tools)}" if self._tools else "there are no tools"
            return Result(f"Error: there is no tool {call.name!r:.80}; {known}", "unknown")
        try:
            arguments = checked(call.arguments, self._parameters[call.name])
        except ArgumentError as error:
            return Result(f"Error: {call.name}: {error}", "arguments")
        try:
            with time_limit(self.seconds):
                value = self._tools[call.name](**arguments)
        except _TimeUp:
            return Result(f"Error: {call.name} took longer than {self.seconds:g} seconds and was stopped", "slow")
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- the tool may raise anything; the policy reads what
            return Result(self._cut(f"Error: {call.name} raised {type(error).__name__}: {_shown(error)}"), "raised")
        return Result(self._cut(text_of(value, call.name)))

    def _cut(self, text: str) -> str:
        text = text.encode("utf-8", "replace").decode()  # no tokenizer takes half of a surrogate pair
        if len(text) <= self.longest:
            return text
        return f"{text[: self.longest]}\n[{len(text) - self.longest} more characters were cut off]"


def text_of(value: Any, name: str) -> str:
    """Return what a tool returned as text: a text as it is, plain data as JSON. Raises TypeError for anything else."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(
            f"the tool {name} returned a {type(value).__name__} that is no plain data ({_shown(error)}); return text, "
            "numbers, lists or dictionaries of these"
        ) from None


def _shown(error: BaseException) -> str:
    """The words of an exception; it may raise another when it is asked for them."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001
        return "(no message)"


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise _TimeUp in the block after this time. Outside the main thread, and for 0, there is no limit."""
    if seconds <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    rest, again = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        _end(before, rest, again)


def _end(before: Any, rest: float, again: float) -> None:
    """Take the alarm back, also where it rings at this moment, and set the one that there was before."""
    while True:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            break
        except _TimeUp:
            continue
    if rest:
        signal.setitimer(signal.ITIMER_REAL, rest, again)

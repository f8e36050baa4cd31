"""Serves the program under test: answers calls to its functions. It never sees the tests."""

from __future__ import annotations

import builtins
import io
import os
import sys
from typing import Any

from posttrain.sandbox.inside.program import RESOURCE, execute, ready
from posttrain.sandbox.inside.wire import decode, encode, receive, send


def serve(source: str) -> None:
    """Run the program, then answer calls until the judge is gone. What the program prints goes to standard error."""
    ready()
    sys.stdout, sys.stdin = sys.stderr, io.StringIO()
    names = execute(source, "program")
    objects: list[Any] = []
    while True:
        try:
            request = receive(0)
        except EOFError:
            os._exit(0)
        try:
            send(1, _answer(request, names, objects))
        except MemoryError:
            os._exit(RESOURCE)


def _answer(request: dict[str, Any], names: dict[str, Any], objects: list[Any]) -> dict[str, Any]:
    """Reply with the value of an attribute or a call, or with its exception. After None, arguments may have changed."""

    def refer(value: Any) -> int:
        objects.append(value)
        return len(objects) - 1

    def attach(place: dict[str, Any]) -> Any:
        return _target(place, names, objects)

    try:
        target = attach(request)
        if "arguments" not in request:
            return {"value": encode(target, refer)}
        arguments = [decode(item, attach) for item in request["arguments"]]
        keywords = {key: decode(item, attach) for key, item in request["keywords"].items()}
        value = target(*arguments, **keywords)
        after = [encode(item, refer) for item in arguments] if value is None else None
        return {"value": encode(value, refer), "arguments": after}
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 -- the tests may expect any
        known = next(kind.__name__ for kind in type(error).__mro__ if vars(builtins).get(kind.__name__) is kind)
        return {"raised": known, "message": f"{error}"[:500]}


def _target(place: dict[str, Any], names: dict[str, Any], objects: list[Any]) -> Any:
    where = place["of"]
    if isinstance(where, int):
        target = objects[where]
    elif where in names:
        target = names[where]
    else:
        raise NameError(f"name {where!r} is not defined")
    for name in place["path"]:
        target = getattr(target, name)
    return target

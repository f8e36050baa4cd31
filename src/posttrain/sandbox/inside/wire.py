"""Values between the tests and the program: JSON for values that are literals in Python, a number for other objects.

What arrives consists of Python's own types again. An object that compares equal to everything cannot get across.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

_LONGEST = 1 << 26  # bytes of one message
_FACTORIES: dict[str, Callable[[list[Any]], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset}


def send(descriptor: int, message: Any) -> None:
    """Write a message: eight bytes of length, then JSON."""
    body = json.dumps(message).encode()
    body = len(body).to_bytes(8, "big") + body
    while body:
        body = body[os.write(descriptor, body) :]


def receive(descriptor: int) -> Any:
    """Read the next message. Raises EOFError when the other side is gone, ValueError for a malformed message."""
    size = int.from_bytes(_exactly(descriptor, 8), "big")
    if size > _LONGEST:
        raise ValueError(f"a message of {size} bytes")
    return json.loads(_exactly(descriptor, size))


def _exactly(descriptor: int, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        if not (piece := os.read(descriptor, min(size - len(data), 1 << 16))):
            raise EOFError
        data += piece
    return bytes(data)


def encode(value: Any, refer: Callable[[Any], Any]) -> Any:
    """Convert a value to plain data for JSON; `refer` returns what stands for an object that is no data."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return {"int": hex(value)}
    if isinstance(value, float):
        return {"float": float(value).hex()}
    if isinstance(value, complex):
        return {"complex": [value.real.hex(), value.imag.hex()]}
    if isinstance(value, bytes | bytearray):
        return {type(value).__name__: value.hex()}
    if isinstance(value, list):
        return [encode(item, refer) for item in value]
    if isinstance(value, dict):
        return {"dict": [[encode(key, refer), encode(item, refer)] for key, item in value.items()]}
    for name, kind in (("tuple", tuple), ("set", set), ("frozenset", frozenset)):
        if isinstance(value, kind):
            return {name: [encode(item, refer) for item in value]}
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):  # a number or an array
        return encode(value.tolist(), refer)
    return {"object": refer(value)}


def decode(message: Any, attach: Callable[[Any], Any]) -> Any:
    """Invert `encode`; `attach` returns the object of a reference. Raises ValueError, TypeError or KeyError."""
    if isinstance(message, list):
        return [decode(item, attach) for item in message]
    if not isinstance(message, dict):
        return message
    ((kind, body),) = message.items()
    if kind == "int":
        return int(body, 16)
    if kind == "float":
        return float.fromhex(body)
    if kind == "complex":
        return complex(*map(float.fromhex, body))
    if kind in ("bytes", "bytearray"):
        return (bytes if kind == "bytes" else bytearray).fromhex(body)
    if kind == "dict":
        return {decode(key, attach): decode(item, attach) for key, item in body}
    if kind == "object":
        return attach(body)
    return _FACTORIES[kind]([decode(item, attach) for item in body])

"""Runs a program that reads standard input and writes standard output. The expected output is not known here."""

from __future__ import annotations

import os
import sys

READY = b"\x06"  # the first byte of standard output: from here on the program is responsible
RESOURCE = 97  # exit code of a program that ran out of memory


def ready() -> None:
    """Report that the restrictions are in force and the program begins."""
    os.write(1, READY)


def execute(source: str, name: str) -> dict[str, object]:
    """Run a program as the module `name` and return its names. When it runs out of memory, the process ends."""
    if "random" in source:
        seed()  # the same verdict every time
    module = type(sys)(name)
    sys.modules[name] = module
    try:
        exec(compile(source, "program.py", "exec", dont_inherit=True), vars(module))  # noqa: S102 -- what a sandbox is for
    except MemoryError:
        os._exit(RESOURCE)
    return vars(module)


def seed() -> None:
    """Let the same program draw the same numbers each time."""
    import random

    random.seed(0)


def run(source: str) -> None:
    """Run the program as `__main__`."""
    ready()
    execute(source, "__main__")

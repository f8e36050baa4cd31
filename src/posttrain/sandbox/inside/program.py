"""A program that reads its standard input and writes its standard output. What it should write is not known here."""

from __future__ import annotations

import os
import sys

READY = b"\x06"  # the first byte of standard output: from here on the program is to blame
RESOURCE = 97  # exit code of a program that ran out of memory


def ready() -> None:
    """Tell those outside that the restrictions hold and the program begins."""
    os.write(1, READY)


def execute(source: str, name: str) -> dict[str, object]:
    """Run a program as the module `name`; its names. Without memory it ends here."""
    if "random" in source:
        import random

        random.seed(0)  # the same verdict every time
    module = type(sys)(name)
    sys.modules[name] = module
    try:
        exec(compile(source, "program.py", "exec", dont_inherit=True), vars(module))  # noqa: S102 -- what a sandbox is for
    except MemoryError:
        os._exit(RESOURCE)
    return vars(module)


def run(source: str) -> None:
    """The whole life of the process, but for what the program leaves to do at its exit."""
    ready()
    execute(source, "__main__")

"""Becomes a tool of the system, such as a compiler. Its input files are written first; there is still one process."""

from __future__ import annotations

import os

from posttrain.sandbox.inside.program import ready


def become(files: dict[str, str], command: list[str]) -> None:
    """Write the files into the temporary folder and run the command there in place of this process."""
    for name, text in files.items():
        with open(name, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    ready()
    os.execv(command[0], command)  # noqa: S606 -- what a sandbox is for

"""Runs cells of Python one after the other, as a notebook does, and shows what the last one writes."""

from __future__ import annotations

import ast
import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from posttrain.sandbox.inside.program import RESOURCE, ready, seed


def run(cells: list[str]) -> None:
    """Run cells in one name space. The last one's output, its last expression and its error go to standard output.

    The earlier ones bring back what they defined; what they wrote has been shown. When memory runs out, the process
    ends.
    """
    seed()  # the same cells give the same results
    ready()
    module = type(sys)("__main__")
    sys.modules["__main__"] = module
    *earlier, last = cells
    try:
        for cell in earlier:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                _run(cell, vars(module))
        with redirect_stderr(sys.stdout):
            problem = _run(last, vars(module))
        sys.stdout.write(problem)
        sys.stdout.flush()
    except MemoryError:
        os._exit(RESOURCE)


def _run(cell: str, names: dict[str, Any]) -> str:
    """Run a cell, print the value of a last line that is an expression, and return what it raised."""
    try:
        tree = ast.parse(cell, "cell")
        last = tree.body[-1] if tree.body else None
        tree.body = tree.body[:-1] if isinstance(last, ast.Expr) else tree.body
        exec(compile(tree, "cell", "exec", dont_inherit=True), names)  # noqa: S102 -- what a sandbox is for
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval", dont_inherit=True), names)  # noqa: S307
            if value is not None:
                sys.stdout.write(f"{value!r}\n")
    except MemoryError:
        raise
    except SystemExit:
        return "SystemExit\n"
    except BaseException as error:  # noqa: BLE001 -- a cell may raise anything, and its author reads it
        return f"{type(error).__name__}: {error}{_line(error)}\n"
    return ""


def _line(error: BaseException) -> str:
    """Say in which line of its cell an error was raised."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == "cell" else line
        trace = trace.tb_next
    return f" (line {line})" if line else ""

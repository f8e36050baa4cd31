"""Helpers that observe what a program did in a sandbox, and what it left behind."""

import os
from pathlib import Path

from posttrain.rewards.bundled.python_tests import python_tests
from posttrain.sandbox import reader
from posttrain.sandbox.box import Box
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.tier import ENVIRONMENT
from posttrain.sandbox.verdict import Judgement, exit_problem

SHORT = Limits(seconds=1.5)


def watch(tier, program, limits=SHORT):
    """Return the verdict on how the program ended, and its output."""
    with Box(tier, "program.run", limits, source=program) as box:
        box.finish_input()
        reader.run(box)
    found = exit_problem(box) or Judgement("passed")
    assert found.verdict != "infrastructure error", found
    return found, box.output.decode(errors="replace")


def attempts(tier, *expressions):
    """Return the expressions that could be evaluated inside."""
    program = f"""
import os, sys
try:
    import socket
except ImportError:  # there is none in WebAssembly
    pass
for expression in {expressions!r}:
    try:
        eval(expression)
        print(expression)
    except (OSError, AttributeError, ImportError, KeyError, NameError):
        pass
print("all tried")
"""
    _, output = watch(tier, program, Limits(seconds=10.0))
    *made, last = output.splitlines() or [""]
    if last == "all tried":
        return made
    if len(expressions) == 1:
        return []  # the attempt ended the process
    return [each for expression in expressions for each in attempts(tier, expression)]


def system_call(number, *arguments):
    """Return a program that prints the errno of a system call; 0 if it succeeded."""
    passed = "".join(f", {a}" for a in arguments)
    return f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
answer = libc.syscall({number}{passed})
print(ctypes.get_errno() if answer < 0 else 0)
"""


def sandboxed(mark):
    """List the living processes with this text in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{mark}\0".encode() in process.joinpath("environ").read_bytes():
                found.append(process.name)
        except OSError:
            pass
    return found


def children():
    found = []
    for listing in Path("/proc/self/task").glob("*/children"):
        found += listing.read_text().split()
    return found


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def marked_tests(prompts, completions, tests, *, mark, sandbox):
    """Run the reward in a worker, with sandboxes that are marked as this test's."""
    ENVIRONMENT["CANARY"] = mark
    return python_tests(prompts, completions, tests, sandbox=sandbox, seconds=30.0)

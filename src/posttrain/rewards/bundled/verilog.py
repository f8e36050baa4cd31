"""Insights from Verification: Training a Verilog Generation LLM with Reinforcement Learning with Testbench Feedback
(Wang et al., 2025).

    R = lines that the testbench prints as it should / lines that it should print

The design is the last fenced block of Verilog (or of no language) in the completion. The column `testbench` is a module
that sets the inputs of the design and prints its outputs, a line for each test; the column `output` has the right
lines, which no simulation sees. So a design that prints lines itself has too many, and gets 0. One that does not
compile gets 0. Pairs of designs by this reward are those of the paper (rounds/iterative_dpo, whose `margin` is the
least difference).
"""

from __future__ import annotations

import re

from posttrain.sandbox.availability import choose
from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.verdict import Judgement
from posttrain.sandbox.verilog import home, simulate

_BLOCK = re.compile(r"^ {0,3}```[ \t]*(\w*)[^\n]*\n(.*?)^ {0,3}```[ \t]*$", re.DOTALL | re.MULTILINE)
_VERILOG = {"", "v", "sv", "verilog", "systemverilog"}


def verilog(
    completions: list[str],
    testbench: list[str | None],
    output: list[str | None],
    *,
    seconds: float = 5.0,
    memory: int = 512,
) -> list[float | RuntimeError | None]:
    """Give the share of the lines of `output` that the design makes the testbench print. Abstains where one is None.

    Where the sandbox fails there is an error in place of the score. Raises SandboxError without bubblewrap or Icarus.

    Settings:
        seconds: time limit of each tool (preprocessor, compiler, simulator); above 0.
        memory: memory limit of each tool in MiB; at least 64, 512 by default.
    """
    choose("bubblewrap")
    home()
    return [
        None if bench is None or lines is None else _score(text, bench, lines, seconds, memory)
        for text, bench, lines in zip(completions, testbench, output, strict=True)
    ]


def notice(**_: object) -> str:
    """Return a sentence about what will be used. Raises SandboxError without bubblewrap or Icarus."""
    return f"sandbox {choose('bubblewrap').name}: designs that the model writes are simulated in it, by {home()}"


def _score(text: str, testbench: str, output: str, seconds: float, memory: int) -> float | RuntimeError:
    found = simulated(text, testbench, output, seconds=seconds, memory=memory)
    return 0.0 if isinstance(found, Judgement) else found


def simulated(
    text: str, testbench: str, output: str, *, seconds: float, memory: int
) -> float | Judgement | RuntimeError:
    """Return the share of right lines, why there are none, or an error where the sandbox failed twice."""
    wanted = _lines(output)
    if not wanted:
        raise ValueError("the column output has no line")
    tier, limits = choose("bubblewrap"), Limits(seconds=seconds, memory=memory * MIB)
    reason = ""
    for _ in range(2):
        printed = simulate(tier, [design_of(text), testbench], limits)
        if not isinstance(printed, Judgement):
            return share(_lines(printed), wanted)
        if printed.verdict != "infrastructure error":
            return printed
        reason = printed.reason
    return RuntimeError(f"not simulated, twice: {reason}")


def design_of(completion: str) -> str:
    """Return the design in an answer: its last block of Verilog, or all of it without one."""
    blocks = [code for language, code in _BLOCK.findall(completion) if language.lower() in _VERILOG]
    return blocks[-1] if blocks else completion


def share(printed: list[str], wanted: list[str]) -> float:
    """Compute the share of right lines; 0 where there are too many."""
    if len(printed) > len(wanted):
        return 0.0
    return sum(a == b for a, b in zip(printed, wanted, strict=False)) / len(wanted)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().split("\n") if line.strip()]

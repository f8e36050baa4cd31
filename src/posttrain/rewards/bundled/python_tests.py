"""Whether the Python program in an answer passes its tests.

The program is the last fenced block of Python (or of no language) in the completion, or the completion itself
without one. The column `tests` is either

1. a list of `{input, output}`: the program reads standard input and writes standard output;
2. assert-style tests, a text or a list of texts: they call what the program defines;
3. HumanEval's: a text that defines `check(candidate)`, with the function's name in the column `entry_point`.

`starter` is a text that the program begins with, such as HumanEval's prompt with its imports and helpers.

Every program runs in a sandbox (sandbox/), separate from its tests. Values cross the boundary as plain data: numbers,
texts, lists, tuples, sets, dicts; objects stay with the program and are reached through their methods. A program has
one process, no network and no files but temporary ones (none at all under Landlock).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, cast

from posttrain.sandbox.availability import Choice, choose
from posttrain.sandbox.judging import Case, judge_cases, judge_tests
from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.tier import Tier
from posttrain.sandbox.verdict import Judgement

_BLOCK = re.compile(r"^ {0,3}```[ \t]*(\w*)[^\n]*\n(.*?)^ {0,3}```[ \t]*$", re.DOTALL | re.MULTILINE)
_PYTHON = {"", "py", "python", "python3"}

Tests = str | list[str] | list[Mapping[str, str]]


def python_tests(
    prompts: list[str],  # noqa: ARG001 -- every reward takes the prompts
    completions: list[str],
    tests: list[Tests | None],
    entry_point: list[str | None] | None = None,
    starter: list[str | None] | None = None,
    *,
    share: bool = False,
    sandbox: Choice = "auto",
    seconds: float = 3.0,
    memory: int = 512,
) -> list[float | RuntimeError | None]:
    """1.0 where the program passes all its tests, else 0.0, or the share that it passes; None without tests.

    Where the sandbox fails, or the tests cannot be run, there is an error in place of the score.
    Raises SandboxError where there is no sandbox.

    Settings:
        share: true gives the share of the listed tests that a program passes, each with the whole time; false 1 or 0.
        sandbox: name of the sandbox: auto (the best one here), bubblewrap, landlock, wasm or none (unprotected).
        seconds: time limit of a program; above 0.
        memory: memory limit of a program in MiB; at least 1, 512 by default.
    """
    tier, limits = choose(sandbox), Limits(seconds=seconds, memory=memory * MIB)
    names, starters = entry_point or [None] * len(tests), starter or [None] * len(tests)
    return [
        None
        if each is None
        else _score([_judged(tier, limits, completion, t, name, start or "") for t in _parts(each, share)])
        for completion, each, name, start in zip(completions, tests, names, starters, strict=True)
    ]


def notice(*, sandbox: Choice = "auto", **_: Any) -> str:
    """Return a sentence about the sandbox that will be used. Raises SandboxError without one."""
    tier = choose(sandbox)
    if tier.name == "none":
        return "sandbox none: programs that the model writes run UNPROTECTED, with your rights, on your files"
    return f"sandbox {tier.name}: programs that the model writes run in it"


def _judged(
    tier: Tier, limits: Limits, completion: str, tests: Tests, entry_point: str | None, starter: str
) -> Judgement:
    program = program_of(completion, starter)
    each = [tests] if isinstance(tests, str) else tests
    kinds = {type(test) for test in each} if isinstance(each, list) else set()
    if kinds == {dict}:
        return judge_cases(tier, program, [_case(test) for test in each if isinstance(test, Mapping)], limits)
    if kinds != {str}:
        raise TypeError(f"tests is {tests!r:.80}, but must be a text, a list of texts, or a list of {{input, output}}")
    text = "\n".join(str(test) for test in each)
    return judge_tests(tier, program, text, limits, entry_point=entry_point, starter=starter)


def program_of(completion: str, starter: str = "") -> str:
    """Return the program in an answer, with its starter.

    A block that is a program by itself follows the starter, so that its definitions win; any other text continues it,
    as HumanEval's completions do.
    """
    blocks = [code for language, code in _BLOCK.findall(completion) if language.lower() in _PYTHON]
    code = blocks[-1] if blocks else completion
    if not starter:
        return code
    whole = _compiles(code) and _compiles(starter)
    return f"{starter}\n\n{code}" if whole else f"{starter}{code}"


def _compiles(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _case(case: Mapping[str, Any]) -> Case:
    if set(case) != {"input", "output"} or not all(isinstance(text, str) for text in case.values()):
        raise TypeError(f"a test is {dict(case)!r:.80}, but must be {{input: text, output: text}}")
    return Case(case["input"], case["output"])


def _parts(tests: Tests, share: bool) -> list[Tests]:
    """The tests one by one, or all in one."""
    if not share or isinstance(tests, str):
        return [tests]
    return [cast("Tests", [test]) for test in tests] or [tests]


def _score(judgements: list[Judgement]) -> float | RuntimeError:
    """Return the share that passed; an answer that could not be judged is an error of that completion."""
    if broken := [j for j in judgements if j.verdict == "infrastructure error"]:
        return RuntimeError(f"not judged, twice: {broken[0].reason}")
    return sum(j.verdict == "passed" for j in judgements) / len(judgements)

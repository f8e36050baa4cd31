"""Calls of programs in each sandbox of this machine: values, errors, and what a hostile or broken program can do."""

from __future__ import annotations

import math

import pytest

from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.plain import Plain
from posttrain.sandbox.served import Raised, Returned, Served

pytestmark = pytest.mark.usefixtures("nothing_left")
LIMITS = Limits(seconds=20.0)
SHORT = Limits(seconds=0.3, memory=256 * MIB)


def called(tier, program, rows=((1,), (0,)), limits=LIMITS):
    with Served(tier, program, limits) as served:
        return served.call("f", rows)


def test_values_come_back_and_an_error_is_that_of_its_call(tier):
    program = "def f(x):\n    print('not a reply')\n    return 1 / x, {'a': [True, None, 'ü']}"
    calls = called(tier, program)
    assert calls.outcomes == [
        Returned((1.0, {"a": [True, None, "ü"]})),
        Raised("ZeroDivisionError", "division by zero"),
    ]
    assert calls.first_problem == "raised ZeroDivisionError: division by zero"
    assert calls.problem is None


def test_batches_are_calls_of_one_process(tier):
    program = "n = 0\ndef f(x):\n    global n\n    n += x\n    return n"
    with Served(tier, program, LIMITS, batches=2) as served:
        assert served.call("f", [(1,), (2,)]).outcomes == [Returned(1), Returned(3)]
        assert served.call("f", [(1,)]).outcomes == [Returned(4)]
        assert served.call("f", []).outcomes == []


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("def f(x) return x", "failed: SyntaxError: expected ':'"),
        ("def g(x): return x", "raised NameError: name 'f' is not defined"),
        ("def f(x, y): return x", "raised TypeError: f() missing 1 required positional argument: 'y'"),
        ("def f(x): return object()", "raised TypeError: returned an object that is no plain data"),
        ("def f(x): return f(x)", "raised RecursionError: maximum recursion depth exceeded"),
        ("import os\ndef f(x): os._exit(0)", "failed: ended its own process"),
        (
            "import os\nos.write(1, b'\\0' * 7 + b'\\2' + b'{}')\ndef f(x): return x",
            "failed: sent something that is no",
        ),
        ("import os\nos.write(1, b'\\0' * 7 + b'\\1' + b'[')\ndef f(x): return x", "failed: sent something that is no"),
        ("import os\nos.write(1, b'a' * 99)\ndef f(x): return x", "resource: a reply of more than"),
        ("def f(x): return 'a' * (1 << 21)", "resource: a reply of more than"),
        ("def f(x): return bytearray(1 << 40)", "resource: needed more than"),
        ("def f(x):\n    raise SystemExit(3)", "failed: exit code 3"),
        ("def f(x):\n    raise ValueError('a\\x1b[2J\\nb')", "raised ValueError: a [2J b"),
        ("while True: pass", "timeout: ran for more than"),
    ],
)
def test_what_a_broken_or_hostile_program_comes_to(program, problem):
    limits = SHORT if problem.startswith("timeout") else Limits(seconds=20.0, memory=256 * MIB)
    assert called(Plain(), program, limits=limits).first_problem.startswith(problem)


def test_an_endless_program_and_what_it_wants_from_outside(tier):
    endless = called(tier, "def f(x):\n    while x: pass", [(0,), (1,), (0,)], limits=SHORT)
    assert endless.outcomes in ([Returned(None)], [])  # on a machine that is very busy
    assert endless.problem.verdict == "timeout"
    outside = "def f(x):\n    return [open('/etc/passwd').read(), __import__('socket').socket()][x]"
    assert called(tier, outside).first_problem.startswith("raised ")


def test_replies_to_calls_that_were_not_made_are_no_replies():
    """The program answers the first call three times, as if it had been asked before."""
    program = """
import json, os
def f(x):
    body = json.dumps({"value": {"int": "0x63"}}).encode()
    os.write(1, (len(body).to_bytes(8, "big") + body) * 2)
    return x
"""
    with Served(Plain(), program, LIMITS, batches=2) as served:
        served.call("f", [(1,)])
        late = served.call("f", [(2,)])
    assert late.problem is not None or late.outcomes != [Returned(2)]
    assert called(Plain(), "def f(x): return float('inf')").outcomes[0] == Returned(math.inf)


def test_only_plain_data_goes_in():
    with Served(Plain(), "def f(x): return x", LIMITS) as served, pytest.raises(TypeError, match="not object"):
        served.call("f", [(object(),)])

"""S12 and R10: the only way for a program to pass is to be right."""

import pytest

from posttrain.sandbox.judging import Case, judge_cases, judge_tests
from posttrain.sandbox.limits import Limits
from tests.sandbox.watching import watch

pytestmark = pytest.mark.usefixtures("nothing_left")
LIMITS = Limits(seconds=2.0)
CHECK = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 9\n"


def verdict(tier, program, tests=CHECK, entry_point="f", **more):
    return judge_tests(tier, program, tests, LIMITS, entry_point=entry_point, **more)


@pytest.mark.paper("duan2023nle", "wang20252c7")
def test_a_right_program_passes_and_a_wrong_one_fails(tier):
    assert verdict(tier, "def f(x):\n    print('working')\n    return x * x").verdict == "passed"
    wrong = verdict(tier, "def f(x):\n    return x + x")
    assert (wrong.verdict, wrong.reason) == ("failed", "assert candidate(3) == 9: AssertionError:")


EQUAL = """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 4
    def __bool__(self): return True
    def __index__(self): return 4
    def __iter__(self): return iter([self])
"""
FORGERIES = {
    "equal to everything": f"{EQUAL}\ndef f(x): return Equal()",
    "an int that is equal": f"{EQUAL}\nclass Int(int):\n    __eq__ = Equal.__eq__\ndef f(x): return Int(7)",
    "a list that is equal": f"{EQUAL}\nclass L(list):\n    __eq__ = Equal.__eq__\ndef f(x): return L()",
    "exits well": "import sys\ndef f(x): sys.exit(0)",
    "exits with the judge's code": "import os\ndef f(x): os._exit(90)",
    "exits at once": "import os\nos._exit(90)",
    "prints the verdict": "print('passed')\nprint(90)\ndef f(x): return None",
    "at exit": "import atexit, os\natexit.register(os._exit, 90)\ndef f(x): return 0",
    "no assertions": "import builtins\nbuiltins.AssertionError = Exception\n__debug__2 = False\ndef f(x): return 0",
    "patched builtins": "import builtins\nbuiltins.all = builtins.abs = lambda *a: True\ndef f(x): return 0",
    "its own check": "def check(candidate): pass\ndef f(x): return 0",
    "reads the tests": """
import gc, sys
def f(x):
    seen = [o for o in gc.get_objects() if isinstance(o, (str, dict))]
    frame = sys._getframe()
    while frame:
        seen += [v for v in frame.f_locals.values()] + [v for v in frame.f_globals.values()]
        frame = frame.f_back
    return 9 if x == 3 and 'assert' + ' candidate(3) == 9' in repr(seen) else 4 if x == 2 else 0
""",
    "reads memory": "def f(x):\n    data = open('/proc/self/mem', 'rb')\n    return 4 if x == 2 else 0",
    "answers the judge itself": """
import json, os
def say(message):
    body = json.dumps(message).encode()
    os.write(1, len(body).to_bytes(8, 'big') + body)
for k in range(10):
    say({'value': True})
    say({'passed': True, 'verdict': 'passed'})
def f(x): return 0
""",
    "raises what ends the judge well": "def f(x): raise SystemExit(90)",
    "names an exception that ends it": """
import json, os
body = json.dumps({'raised': 'SystemExit', 'message': '90'}).encode()
os.write(1, len(body).to_bytes(8, 'big') + body)
def f(x): return 0
""",
    "a broken message": "import os\nos.write(1, bytes(64))\ndef f(x): return 0",
    "a long message": "import os\nos.write(1, b'\\x00\\x00\\x00\\x00\\xff\\xff\\xff\\xff')\ndef f(x): return 0",
    "a deep value": "def f(x):\n    value = []\n    for _ in range(100000): value = [value]\n    return value",
    "a pickle": """
import pickle
class P:
    def __reduce__(self): return (eval, ('4',))
def f(x): return pickle.dumps(P())
""",
    "closes its descriptors": "import os\ndef f(x):\n    os.closerange(0, 64)",
    "patches the sandbox's modules": """
import sys
for name, module in list(sys.modules.items()):
    if 'inside' in name:
        for attribute in list(vars(module)):
            if callable(getattr(module, attribute)):
                setattr(module, attribute, lambda *a, **k: {'value': True})
def f(x): return 0
""",
    "kills everything": "import os, signal\ndef f(x):\n    os.kill(-1, 9)",
    "loops": "def f(x):\n    while True: pass",
    "is no program": "def f(x: return x",
    "does not define it": "def g(x): return x * x",
}


@pytest.mark.fault("S12")
@pytest.mark.fault("R10")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_forgery_passes(tier, forgery):
    found = verdict(tier, FORGERIES[forgery])
    assert found.verdict in ("failed", "timeout", "forbidden", "resource"), found


@pytest.mark.fault("S12")
def test_work_on_the_arguments_counts_only_without_a_result(tier):
    """`assert f(xs) == sorted(xs)` must not be met by emptying xs."""
    tests = "xs = [3, 1, 2]\nassert f(xs) == sorted(xs)"
    assert verdict(tier, "def f(xs):\n    xs.clear()\n    return []", tests).verdict == "failed"
    assert verdict(tier, "def f(xs):\n    return sorted(xs)", tests).verdict == "passed"
    in_place = "xs, d = [3, 1, 2], {}\nf(xs, d)\nassert xs == [1, 2, 3]\nassert d == {1: 2}"
    assert verdict(tier, "def f(xs, d):\n    xs.sort()\n    d[1] = 2", in_place).verdict == "passed"


@pytest.mark.fault("S12")
def test_helpers_of_the_starter_belong_to_the_tests(tier):
    starter = "def close(a, b):\n    return abs(a - b) < 1e-9\n\n\ndef root(x):\n    '''Square root.'''\n"
    tests = "def check(candidate):\n    assert close(candidate(4), 2)"
    honest = starter + "    return x ** 0.5"
    assert verdict(tier, honest, tests, "root", starter=starter).verdict == "passed"
    forged = starter + "    return 0\ndef close(a, b): return True"
    assert verdict(tier, forged, tests, "root", starter=starter).verdict == "failed"


VALUES = (
    "[None, True, -3, 2**200, 0.1, float('inf'), 1j, 'é\\ud800', b'x', bytearray(b'y'), (1, (2,)), [], {1: {2}}, "
    "frozenset({(1, 2)}), {'a': [1.0]}]"
)


def test_values_arrive_as_they_are(tier):
    tests = f"for v in {VALUES}:\n    w = same(v)\n    assert w == v and type(w) is type(v), v"
    assert verdict(tier, "def same(x): return x", tests, None).verdict == "passed"


def test_objects_stay_with_the_program_and_can_be_used(tier):
    program = """
class Stack:
    size = 3
    def __init__(self, *items): self.items = list(items)
    def push(self, x): self.items.append(x)
    def pop(self): return self.items.pop()
def count(n): yield from range(n)
def same(s, t): return s is t
"""
    tests = """
s = Stack(1, 2)
s.push(5)
assert s.size == 3 and s.items == [1, 2, 5]
assert s.pop() == 5
assert list(count(4)) == [0, 1, 2, 3]
assert same(s, s)
try:
    Stack().pop()
except IndexError as error:
    assert "empty" in str(error)
else:
    raise AssertionError
"""
    found = verdict(tier, program, tests, None)
    assert found.verdict == "passed", found


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        ("assert f(", "the tests cannot be compiled"),
        ("assert True", "the tests never call the program"),
        ("assert f(lambda: 1)", "the tests hand a function to the program"),
        ("import os\nos._exit(0)", "the tests end their own process"),
    ],
)
def test_tests_that_cannot_judge_are_an_error_and_no_score(tier, tests, reason):
    found = verdict(tier, "def f(x): return x", tests, None)
    assert found.verdict == "infrastructure error"
    assert found.reason.startswith(reason)


def cases(tier, program, *pairs):
    return judge_cases(tier, program, [Case(*pair) for pair in pairs], LIMITS)


def test_input_and_output_cases(tier):
    program = "a, b = map(int, input().split())\nprint(a + b)"
    assert cases(tier, program, ("1 2", "3"), ("4 5\n", "9\n\n")).verdict == "passed"
    found = cases(tier, program, ("1 2", "3"), ("4 5", "8"))
    assert (found.verdict, found.reason) == ("failed", "case 2: wrote something else")
    assert cases(tier, "print(3, end=' \\n\\n')", ("", "3")).verdict == "passed"
    assert cases(tier, "print(' 3')", ("", "3")).verdict == "failed"
    assert cases(tier, "import sys\nprint(len(sys.stdin.read()))", ("x" * 500_000, "500000")).verdict == "passed"
    assert cases(tier, "print(1)", ("x" * 500_000, "1")).verdict == "passed"
    assert cases(tier, "print(3)\nraise SystemExit(1)", ("", "3")).verdict == "failed"


@pytest.mark.fault("S12")
@pytest.mark.fault("R10")
@pytest.mark.parametrize(
    "program",
    [
        "print('passed')",
        "import os\nos._exit(0)",
        "import os\nos.write(1, b'\\x06')",
        "import gc, sys\nprint([o for o in gc.get_objects() if 'can' + 'ary-47' in repr(o)])",
        "import sys\nprint(sys.argv, open('/proc/self/cmdline').read())",
        "input = lambda: 'canary'\nprint(input())",
    ],
)
def test_what_should_be_written_is_not_in_the_sandbox(tier, program):
    assert cases(tier, program, ("0", "canary-47")).verdict == "failed"


def test_the_time_is_for_all_cases_together(tier):
    slow = "import time\ntime.sleep(0.9)\nprint(1)"
    assert cases(tier, slow, *[("", "1")] * 4).verdict == "timeout"


def test_the_same_verdict_every_time(tier):
    program = "import random\nprint(random.random(), hash('a'), list({'a', 'b', 'c'}))"
    assert len({watch(tier, program)[1] for _ in range(3)}) == 1

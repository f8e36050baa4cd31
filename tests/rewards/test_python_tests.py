"""The reward for programs: extracting the program, the kinds of tests, and the scores."""

import pytest

from posttrain.rewards.bundled import python_tests as module
from posttrain.rewards.bundled.python_tests import program_of, python_tests
from posttrain.sandbox import judging
from posttrain.sandbox.verdict import Judgement

pytestmark = pytest.mark.skipif(
    all(module.choose.__globals__["available"]().values()), reason="this machine has no sandbox"
)

PROMPT = '''from typing import List


def closest(numbers: List[float], threshold: float) -> bool:
    """Whether two numbers are closer to each other than the threshold."""
'''
BODY = "    return any(abs(a - b) < threshold for i, a in enumerate(numbers) for b in numbers[:i])\n"
CHECK = """

METADATA = {"author": "nobody"}


def check(candidate):
    assert candidate([1.0, 2.0, 3.9], 0.3) == False
    assert candidate([1.0, 2.8, 3.0], 0.3) == True
"""


def humaneval(*completions):
    n = len(completions)
    return python_tests([PROMPT] * n, list(completions), [CHECK] * n, ["closest"] * n, [PROMPT] * n)


def test_humaneval():
    whole = f"Here it is:\n```python\n{PROMPT}{BODY}```\nDone."
    assert humaneval(BODY, whole, "    return True\n", "I do not know.", "") == [1.0, 1.0, 0.0, 0.0, 0.0]


@pytest.mark.paper("duan2023nle")
def test_asserts_cases_and_abstention():
    square = "```python\ndef square(x):\n    return x * x\n```"
    tests = ["assert square(2) == 4", "assert square(-3) == 9"]
    assert python_tests([""] * 3, [square, "def square(x): return 2 * x", square], [tests, tests, None]) == [1, 0, None]
    cases = [{"input": "abc\n", "output": "cba"}, {"input": "", "output": ""}]
    reverse = "import sys\nprint(sys.stdin.read().strip()[::-1])"
    assert python_tests([""] * 2, [reverse, "print('cba')"], [cases] * 2) == [1.0, 0.0]


@pytest.mark.paper("wang20252c7")
def test_the_share_of_the_tests_orders_programs_that_none_would_pass():
    tests = ["assert f(1) == 1", "assert f(2) == 4", "assert f(-1) == 1"]
    programs = ["def f(x): return 1", "def f(x) return"]
    assert python_tests([""] * 2, programs, [tests] * 2, share=True) == pytest.approx([2 / 3, 0])
    cases = [{"input": "a", "output": "a"}, {"input": "b", "output": "B"}]
    assert python_tests([""], ["print(input())"], [cases], share=True) == [0.5]
    assert python_tests([""], ["def f(x): return x * x"], [tests[0]], share=True) == [1.0]


@pytest.mark.parametrize(
    ("completion", "program"),
    [
        ("x = 1", "x = 1"),
        ("```python\nx = 1\n```", "x = 1\n"),
        ("First:\n```py\nx = 1\n```\nBetter:\n```python\nx = 2\n```\nRun it:\n```bash\npython x.py\n```", "x = 2\n"),
        ("```\nx = 1\n```", "x = 1\n"),
        ("```text\nx = 1\n```", "```text\nx = 1\n```"),
    ],
)
def test_the_last_block_of_python_is_the_program(completion, program):
    assert program_of(completion) == program


def test_a_program_continues_its_starter_or_replaces_it():
    assert program_of("    return 1\n", "def f():\n") == "def f():\n    return 1\n"
    assert program_of("def f():\n    return 2\n", "import math\n") == "import math\n\n\ndef f():\n    return 2\n"


@pytest.mark.parametrize("tests", [[], [1], 3, [{"input": "1"}], [{"input": 1, "output": "1"}], ["a", {"input": "1"}]])
def test_tests_of_another_form_are_an_error(tests):
    with pytest.raises(TypeError, match="but must be"):
        python_tests([""], ["x = 1"], [tests])


def test_what_was_not_judged_is_no_score(monkeypatch):
    (found,) = python_tests([""], ["x = 1"], ["assert True"])
    assert "the tests never call the program" in str(found)
    tries = []
    broken = Judgement("infrastructure error", "no namespace")
    monkeypatch.setattr(judging, "_tests", lambda *_: tries.append(1) or broken)
    found, right = python_tests([""] * 2, ["x = 1", "print(1)"], ["assert f(1)", [{"input": "", "output": "1"}]])
    assert isinstance(found, RuntimeError)
    assert (str(found), right) == ("not judged, twice: no namespace", 1.0)
    assert len(tries) == 2


def test_the_clock_is_the_setting():
    assert python_tests([""], ["def f(): \n  while 1: pass"], ["f()"], seconds=0.3) == [0.0]

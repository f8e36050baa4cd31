"""Goals that a model writes: what is read, and what the sandbox makes of their conditions."""

from __future__ import annotations

import pytest

from posttrain.errors import SandboxError
from posttrain.learners.planning import goals as module
from posttrain.learners.planning.goals import Goal, program, read_goals, usable, verified
from posttrain.sandbox.availability import choose
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.plain import Plain

pytestmark = pytest.mark.paper("000-text:Hi-Core")
NAMES = ("place", "log")
STATES = ((0, 0), (1, 2))


def test_lines_become_goals():
    text = "1. have a log | log >= 1 | 0.2\n- be there |place == 1| .5\nno goal\n| log | 1\nbig | True | 3\na | b | c"
    assert read_goals(text) == [Goal("have a log", "log >= 1", 0.2), Goal("be there", "place == 1", 0.5)]
    assert read_goals(None) == []
    assert len(read_goals("a | True | 1\n" * 20)) == 8
    assert read_goals(Goal("x", "log > 1", 0.25).line()) == [Goal("x", "log > 1", 0.25)]


def test_a_condition_is_a_function_of_the_numbers_of_a_state():
    space = {}
    exec(program(Goal("x", "log >= 1 and place == 1", 0.2), NAMES), space)
    assert [space["reached"](*s) for s in STATES] == [False, True]


def test_conditions_run_in_the_sandbox_and_bad_ones_are_dropped():
    goals = [
        Goal("good", "log >= 1", 0.2),
        Goal("always", "True", 0.2),
        Goal("no yes or no", "log", 0.2),
        Goal("unknown", "logs >= 1", 0.2),
    ]
    assert usable(goals, NAMES, STATES, choose()) == {goals[0]: [False, True]}


@pytest.mark.parametrize(
    "check", ["1 /", "__import__('os').getpid() > 0 and open('/etc/passwd', 'w') is None", "exit(0)"]
)
def test_what_is_broken_or_hostile_is_no_goal(check):
    assert verified(Goal("x", check, 0.2), NAMES, STATES, choose()) is None


def test_a_sandbox_that_fails_says_nothing_of_a_goal():
    class Missing(Plain):
        def command(self, limits):
            return ["/nowhere/python"]

    with pytest.raises(SandboxError, match="not run, twice: it cannot be started"):
        verified(Goal("x", "log >= 1", 0.2), NAMES, STATES, Missing())


def test_ten_thousand_states_are_one_batch():
    states = tuple((n,) for n in range(10_000))
    assert verified(Goal("x", "log % 7 == 0", 0.2), ("log",), states, choose()) == [n % 7 == 0 for (n,) in states]


def test_an_endless_condition_is_no_goal(monkeypatch):
    monkeypatch.setattr(module, "LIMITS", Limits(seconds=0.2))
    assert verified(Goal("x", "[n for n in iter(int, 1)]", 0.2), NAMES, STATES, choose()) is None

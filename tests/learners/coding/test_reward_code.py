"""Reward code: what a right program says, and that no other one stops the search, lies or escapes."""

from __future__ import annotations

import pytest

from posttrain.errors import SandboxError
from posttrain.learners.coding.reward_code import RewardTable, code_of, facts, read_reward, steps
from posttrain.learners.worlds.bandit import Bandit
from posttrain.learners.worlds.chain import Chain
from posttrain.learners.worlds.key_door import KeyDoor, Place
from posttrain.sandbox.availability import TIERS, why_unavailable
from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.plain import Plain

pytestmark = [pytest.mark.paper("002:TEXT2REWARD"), pytest.mark.paper("ma2023vyo")]
CHAIN = Chain(length=4)
LIMITS = Limits(seconds=20.0, memory=256 * MIB)
MOVED = """
def reward(state, action, after):
    moved = after['state'] - state['state']
    return moved * 2.0, {'moved': moved}
"""


def read(program, tier=None, limits=LIMITS, world=CHAIN):
    return read_reward(world, world.table(), program, tier or Plain(), limits)


@pytest.mark.parametrize("tier", TIERS, ids=lambda tier: tier.name)
def test_a_program_says_what_every_step_earns_and_its_components(tier):
    if reason := why_unavailable(tier):
        pytest.skip(reason)
    table = read(MOVED, tier)
    assert table.total[0, 1, 1] == 2.0
    assert table.total[1, 0, 0] == -2.0
    assert table.parts == {"moved": {key: x / 2 for key, x in table.total.items()}}
    assert (
        len(table.total) == len(steps(CHAIN.table())) == 12
    )  # two actions, each may slip; behind the end there is none
    assert not any(s == 3 for s, _, _ in table.total)


def test_a_state_is_given_by_the_names_of_its_fields():
    room = KeyDoor(size=2)
    assert facts(room, Place(0, 1, True)) == {"x": 0, "y": 1, "key": True, "out": False}
    assert facts(CHAIN, 2) == {"state": 2}
    key = "def reward(state, action, after):\n    return float(after['key'] and action == 'use' and not state['key'])\n"
    found = [place for place, total in read(key, world=room).total.items() if total]
    assert [(s.x, s.y, a) for s, a, _ in found] == [(0, 0, 4)]


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("def reward(state, action, after) return 1", "failed: SyntaxError"),
        ("def reword(state, action, after): return 1", "raised NameError: name 'reward' is not defined"),
        ("def reward(state): return 1", "raised TypeError: reward() takes 1 positional argument but 3 were given"),
        ("def reward(state, action, after): return after['goal']", "raised KeyError: 'goal'"),
        ("def reward(state, action, after): return 1", "returned 1.0 for every step"),
        ("def reward(state, action, after): return 'much'", "returned 'much', which is neither a number"),
        ("def reward(state, action, after): return 1.0, {1: 2.0}", "returned (1.0, {1: 2.0}), which is neither"),
        ("def reward(state, action, after): return 1.0, 2.0", "returned (1.0, 2.0), which is neither"),
        ("def reward(state, action, after): return float('nan')", "returned nan, which is not between"),
        ("def reward(state, action, after): return 1e7", "returned 10000000.0, which is not between"),
        ("def reward(state, action, after): return 10 ** 9999", "returned a number of very many digits, which"),
        (
            "n = 0\ndef reward(*step):\n    global n\n    n += 1\n    return n",
            "is no function of its arguments: it returned",
        ),
        ("def reward(s, a, t): return (1, {'a': 1}) if s['state'] else (2, {})", "names other components"),
        ("import os\ndef reward(s, a, t): os.kill(os.getpid(), 9)", "failed: ended by signal 9"),
        ("def reward(s, a, t): return bytearray(1 << 40)", "resource: needed more than"),
        ("def reward(s, a, t):\n    while True: pass", "timeout: ran for more than 0.2 s"),
        ("import time\ndef reward(s, a, t): time.sleep(60)", "timeout: ran for more than 0.2 s"),
    ],
)
def test_a_program_that_is_wrong_slow_endless_impure_or_constant_has_a_problem_in_words(program, problem):
    limits = Limits(seconds=0.2) if problem.startswith("timeout") else LIMITS
    assert str(read(program, limits=limits)).startswith(problem)


def test_ten_thousand_steps_are_one_batch():
    arms = Bandit(pays=[0.5] * 10_000)
    right = read("def reward(s, a, t): return float(a.split()[-1])", world=arms)
    assert [right.total[("before", n, "behind")] for n in (0, 9_999)] == [1.0, 10_000.0]
    assert len(right.total) == 10_000


HOSTILE = """
import os, sys
def reward(state, action, after):
    tries = [lambda: open("/etc/passwd").read(), lambda: open("{marker}", "w"), lambda: os.fork(),
             lambda: __import__("socket").socket().connect(("127.0.0.1", 80)), lambda: os.system("touch {marker}")]
    done = 0
    for attempt in tries:
        try:
            done += attempt() not in (0, None, "", 32512, -1)
        except (OSError, ImportError, AttributeError):
            pass
    return done + state["state"]
"""


@pytest.mark.parametrize("tier", TIERS, ids=lambda tier: tier.name)
def test_a_hostile_program_reaches_nothing(tier, tmp_path):
    if reason := why_unavailable(tier):
        pytest.skip(reason)
    marker = tmp_path / "escaped"
    table = read(HOSTILE.format(marker=marker), tier)
    assert isinstance(table, str) or all(total == s for (s, _, _), total in table.total.items())
    assert not marker.exists()


class Missing(Plain):
    def command(self, limits):
        return ["/nowhere/python"]


def test_a_sandbox_that_fails_is_an_error_and_no_fitness():
    with pytest.raises(SandboxError, match="not run, twice: it cannot be started"):
        read(MOVED, Missing())


def test_the_last_program_of_a_reply_is_taken():
    one, two = "def reward(s, a, t):\n    return 1\n", "def reward(s, a, t):\n    return 2\n"
    assert code_of(f"First:\n```python\n{one}```\nBetter:\n```\n{two}```\nDone.") == two
    assert code_of(f"```\nx = 1\n```\n```py\n{one}\n```") == one
    assert code_of(one) == one
    assert code_of("def other(): ...") is None
    assert code_of("```python\nprint(1)\n```") is None
    assert code_of(None) is None


def test_a_table_without_components_has_none():
    assert RewardTable({}).parts == {}

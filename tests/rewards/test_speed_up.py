"""Unit tests and speed: golden rewards on times that are given, noise, and programs that burn a known CPU time."""

from __future__ import annotations

import math

import pytest

from posttrain.rewards.bundled import speed_up as module
from posttrain.rewards.bundled.speed_up import speed_up
from posttrain.sandbox import timing
from posttrain.sandbox.availability import available
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.verdict import Judgement

pytestmark = pytest.mark.paper("duan2023nle")

CASES = [{"input": "2", "output": "4"}, {"input": "3", "output": "9"}]
RIGHT, HALF = "print(int(input()) ** 2)", "input(); print(4)"
BURN = "import time\nwhile time.process_time() < {}:\n    pass\n" + RIGHT


@pytest.fixture
def sandbox():
    if all(available().values()):
        pytest.skip("this machine has no sandbox")


@pytest.fixture
def times(monkeypatch):
    """Seconds of each program, in place of a sandbox."""
    known = {}
    monkeypatch.setattr(module, "cpu_seconds", lambda _tier, program, *_: known[program])
    monkeypatch.setattr(module, "choose", lambda _: None)
    monkeypatch.setattr(module, "judge_cases", judged)
    return known


def judged(_tier, program, cases, _limits):
    right = "input()) ** 2" in program or (program == HALF and cases[0].output == "4")
    return Judgement("passed" if right else "failed")


def score(program, reference=RIGHT + "#", **settings):
    return speed_up([program], [CASES], [reference], **settings)[0]


def test_golden(times):
    times |= {RIGHT: 0.5, RIGHT + "#": 1.0}
    assert score(RIGHT) == pytest.approx(1 + math.log(2))
    assert score(RIGHT, most=0.5) == 1.5
    assert score(RIGHT, most=0.0) == 1.0  # the tests alone
    assert score(RIGHT + "#") == 1.0
    assert score(RIGHT + "#", RIGHT) == 1.0  # slower than the reference, but right
    assert score(HALF) == -0.25
    assert score("print(1)") == -0.5
    assert score("print(") == -1.0
    assert speed_up(["", ""], [None, CASES], [RIGHT, None]) == [None, None]


def test_times_too_short_to_measure_are_alike(times):
    times |= {RIGHT: 0.0, RIGHT + "#": 0.02}
    assert score(RIGHT) == pytest.approx(1 + math.log(2))
    assert score(RIGHT, least=0.02) == 1.0


def test_a_wrong_program_never_outranks_a_right_one_however_fast(times):
    times |= {RIGHT: 1e9, RIGHT + "#": 1.0, HALF: 0.0}
    assert score(RIGHT) == 1.0 > score(HALF) > score("print(1)") > score("(")


def test_a_program_that_cannot_be_timed_is_an_error_and_no_score(times):
    times |= {RIGHT: 1.0, RIGHT + "#": Judgement("timeout", "ran for more than 3 s")}
    assert "the column reference could not be timed: ran for" in str(score(RIGHT))
    with pytest.raises(ValueError, match="tests is empty"):
        speed_up([RIGHT], [[]], [RIGHT])


def test_the_median_keeps_the_order_under_noise(monkeypatch):
    """Two inputs of 1 s and a start of 0.25 s; one run of three is disturbed."""
    noise = iter([1.25, 1.25, 9.0, 1.25, 1.25, 1.25])
    monkeypatch.setattr(timing, "_start", lambda *_: 0.25)
    monkeypatch.setattr(timing, "_once", lambda *_: next(noise))
    assert timing.cpu_seconds(None, "", ["", ""], Limits(), 3) == 2.0


@pytest.mark.usefixtures("sandbox")
def test_programs_that_burn_four_times_as_much_are_slower():
    slow, fast = BURN.format(0.25), BURN.format(0.0)
    one = speed_up([fast, slow], [CASES[:1]] * 2, [slow, slow], most=5.0, repeats=1, seconds=60.0)
    assert one[0] > 1.5
    assert one[1] == 1.0

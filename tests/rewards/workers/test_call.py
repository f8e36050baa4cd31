"""What a reward function may return, and the faults for anything else."""

import decimal
import fractions
import json
import random

import numpy as np
import pytest
import torch

from posttrain.errors import MissingExtraError, RewardError
from posttrain.rewards.workers.call import Call, Fault
from posttrain.rewards.workers.evaluate import evaluate
from posttrain.rewards.workers.framing import pack, unpack
from posttrain.rewards.workers.outcome import Scores, from_wire, joined, to_wire, verdicts


@pytest.mark.fault("R3")
@pytest.mark.parametrize(
    "result",
    [
        [1, 0.5, None],
        (1.0, 0.5, None),
        [True, fractions.Fraction(1, 2), None],
        [np.int64(1), np.float32(0.5), None],
        [torch.tensor(1), torch.tensor([0.5]), None],
        [torch.tensor(1.0, dtype=torch.bfloat16), torch.tensor(0.5, requires_grad=True), None],
        [decimal.Decimal(1), decimal.Decimal("0.5"), None],
        np.array([1, 0.5, None], dtype=object),
    ],
)
def test_numbers_of_all_kinds_are_floats_and_none_abstains(result):
    found = verdicts("r", result, 3)
    assert found == [1.0, 0.5, None]
    assert [type(v) for v in found] == [float, float, type(None)]


@pytest.mark.fault("R3")
def test_arrays_and_tensors_are_lists():
    assert verdicts("r", np.array([1, 2]), 2) == [1.0, 2.0]
    assert verdicts("r", torch.tensor([1.5, 2.0]), 2) == [1.5, 2.0]
    assert verdicts("r", torch.tensor([1.5, 2.0], dtype=torch.bfloat16, requires_grad=True), 2) == [1.5, 2.0]
    assert verdicts("r", np.array([True, False]), 2) == [1.0, 0.0]


@pytest.mark.fault("N3", "R3")
@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        decimal.Decimal("nan"),
        decimal.Decimal("snan"),
        -np.inf,
        "1",
        b"1",
        1j,
        [1.0],
        {"score": 1.0},
        10**400,
        -1e30,
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_or_a_huge_one_is_an_error_of_its_item_alone(value):
    first, second = verdicts("brevity", [value, 2.0], 2)
    assert isinstance(first, Fault)
    assert first.kind == "result"
    assert "'brevity'" in first.message
    assert "return a number, at most 1e+18, or None to abstain" in first.message
    assert second == 2.0


@pytest.mark.fault("R4")
@pytest.mark.parametrize(
    "result",
    [1.0, None, "ab", {"a": 1.0, "b": 2.0}, (x for x in [1.0, 2.0]), {1.0, 2.0}, np.float64(1.0), torch.tensor(1.0)],
    ids=lambda r: type(r).__name__,
)
def test_what_is_no_list_is_an_error_of_the_call(result):
    fault = verdicts("brevity", result, 2)
    assert isinstance(fault, Fault)
    assert "reward 'brevity' returned" in fault.message
    assert "for 2 completions" in fault.message
    assert not fault.lies_in_an_item  # one by one it could only look right by accident


@pytest.mark.fault("R4")
@pytest.mark.parametrize("result", [[], [1.0], [1.0, 2.0, 3.0], np.ones(3)], ids=len)
def test_a_wrong_length_is_never_broadcast(result):
    fault = verdicts("brevity", result, 2)
    assert isinstance(fault, Fault)
    assert fault.message.startswith(f"reward 'brevity' returned {len(result)} values for 2 completions")
    assert not fault.lies_in_an_item


def run(function, **settings):
    return evaluate(Call("r", function, settings, {"completions": ["a"]}, (0,)), function)


def test_an_exception_is_a_fault_with_the_traceback_of_the_function():
    def angry(completions):
        raise ValueError("too long")

    fault = run(angry)
    assert (fault.kind, fault.message) == ("raised", "reward 'r' raised ValueError: too long")
    assert "in angry" in fault.traceback
    assert "in evaluate" not in fault.traceback


def test_sys_exit_and_bare_base_exceptions_are_faults_and_ctrl_c_is_not():
    def leave(completions):
        raise SystemExit(0)

    def odd(completions):
        raise GeneratorExit

    def interrupted(completions):
        raise KeyboardInterrupt

    assert run(leave).message == "reward 'r' called sys.exit(0)"
    assert run(odd).kind == "raised"
    with pytest.raises(KeyboardInterrupt):
        run(interrupted)


def test_an_exception_that_cannot_be_printed_is_a_fault():
    class Silent(Exception):
        def __str__(self):
            raise RuntimeError

    def angry(completions):
        raise Silent

    assert "Silent" in run(angry).message


def test_a_missing_extra_is_a_fault_of_the_setup():
    def needs(completions):
        raise MissingExtraError("needs", "math")

    fault = run(needs)
    assert fault.kind == "setup"
    assert "posttrain[math]" in fault.message


def test_the_generators_depend_on_the_texts_alone():
    def chance(completions):
        return [random.random() + np.random.random()]

    def seed(*texts):
        return Call("r", chance, {}, {"completions": list(texts)}, tuple(range(len(texts)))).seed

    assert run(chance) == run(chance)
    assert seed("a") == seed("a")
    assert len({seed("a"), seed("b"), seed("a", "b")}) == 3


def test_split_gives_each_completion_its_own_columns():
    call = Call("r", "m:f", {}, {"completions": ["a", "b"], "answer": [1, 2]}, (4, 7))
    first, second = call.split()
    assert (first.items, first.arguments) == ((4,), {"completions": ["a"], "answer": [1]})
    assert (second.items, second.arguments) == ((7,), {"completions": ["b"], "answer": [2]})


@pytest.mark.parametrize("outcome", [[1.0, None, Fault("result", "m")], Fault("died", "m", "t"), []])
def test_outcomes_survive_the_wire(outcome):
    count = 0 if isinstance(outcome, Fault) else len(outcome)
    assert from_wire(unpack(bytearray(pack(to_wire(outcome)))), count) == outcome


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"verdicts": 1.0},
        {"verdicts": [1.0]},
        {"verdicts": [1.0, float("nan")]},
        {"verdicts": [1.0, 1e19]},
        {"verdicts": [1.0, "1"]},
        {"verdicts": [1.0, {"kind": "x", "message": "", "traceback": ""}]},
        {"fault": "no"},
    ],
    ids=repr,
)
def test_nonsense_from_the_wire_is_refused(message):
    with pytest.raises(ValueError):
        from_wire(message, 2)


def test_frames_wait_for_the_whole_message_and_refuse_huge_ones():
    data = pack({"text": "\ud800é", "n": np.int64(3), "xs": np.arange(2)})
    buffer = bytearray(data[:-1])
    assert unpack(buffer) is None
    buffer += data[-1:] + b"\0"
    assert unpack(buffer) == {"text": "\ud800é", "n": 3, "xs": [0, 1]}
    assert buffer == b"\0"
    with pytest.raises(ValueError):
        unpack(bytearray(b"\xff" * 8))


def test_notes_survive_the_wire_and_join():
    first, second = Scores([1.0], curve=[0.5]), Scores([2.0, None])
    first.notes, second.notes = {"why": ["x"]}, {"seen": [1, None]}
    whole = joined([(1, first), (2, second), (1, Fault("raised", "m"))])
    assert whole == [1.0, 2.0, None, Fault("raised", "m")]
    assert whole.watched == {"curve": [0.5, None, None, None]}
    assert whole.notes == {"why": ["x", None, None, None], "seen": [None, 1, None, None]}
    back = from_wire(json.loads(json.dumps(to_wire(whole))), 4)
    assert (back, back.notes) == (whole, whole.notes)


def test_an_exception_in_the_list_is_what_went_wrong_with_its_completion():
    fine, failed = verdicts("r", [1.0, ValueError("half a verdict")], 2)
    assert fine == 1.0
    assert (failed.kind, failed.message) == ("raised", "reward 'r': ValueError: half a verdict")


def test_a_reward_error_ends_the_run():
    def spent(completions):
        raise RewardError("the budget is spent")

    assert run(spent) == Fault("stop", "reward 'r': the budget is spent")


def test_what_only_watches_survives_the_wire():
    made = verdicts("r", Scores([1, None], agreement=[None, True]), 2)
    assert (made, made.watched) == ([1.0, None], {"agreement": [None, 1.0]})
    back = from_wire(json.loads(json.dumps(to_wire(made))), 2)
    assert (back, back.watched) == (made, made.watched)


@pytest.mark.parametrize("values", [[1.0], ["x", None], [float("nan"), 0.0]])
def test_what_only_watches_is_checked_too(values):
    found = verdicts("r", Scores([1.0, 2.0], curve=values), 2)
    assert isinstance(found, Fault)
    assert "r/curve" in found.message


@pytest.mark.parametrize("watched", [1, {"a": [1.0]}, {"a": 1.0}, {"a": ["x", 1.0]}])
def test_curves_that_a_worker_made_up(watched):
    with pytest.raises(ValueError):
        from_wire({"verdicts": [1.0, 2.0], "watched": watched}, 2)

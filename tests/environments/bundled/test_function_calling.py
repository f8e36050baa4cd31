"""The right calls in any order get the reward, near misses a share of the accuracy, nonsense nothing."""

import json

import pytest

from posttrain.environments.bundled.function_calling import FunctionCalling
from posttrain.environments.environment import Action, Call
from posttrain.environments.tools.parse import parse
from posttrain.records import Prompt
from tests.environments.playing import keeps_the_rules

TASKS = FunctionCalling.tasks(30, 1)


def outcome(row, action):
    world = FunctionCalling()
    world.reset(Prompt(0, tuple(row["prompt"]), {"calls": row["calls"]}, arguments={"tools": row["tools"]}), 0)
    return world.step(action)


def written(calls):
    return parse("".join(f"<tool_call>{json.dumps(call)}</tool_call>" for call in calls))


def test_the_right_calls_in_any_order():
    for row in TASKS:
        calls = [{"name": c["name"], "arguments": dict(reversed(c["arguments"].items()))} for c in row["calls"]]
        done = outcome(row, written(calls[::-1]))
        assert (done.reward, done.done, done.info["call_accuracy"], done.info["calls"]) == (1.0, True, 1.0, len(calls))


ROW = {
    "prompt": [{"role": "user", "content": "Weather in Rome, and a timer of 3 minutes."}],
    "tools": next(
        t["tools"] for t in TASKS if {"get_weather", "set_timer"} <= {s["function"]["name"] for s in t["tools"]}
    ),
    "calls": [
        {"name": "get_weather", "arguments": {"city": "Rome"}},
        {"name": "set_timer", "arguments": {"minutes": 3}},
    ],
}


@pytest.mark.parametrize(
    ("calls", "accuracy", "malformed"),
    [
        ([Call("get_weather", {"city": "Rome", "days": 1}), Call("set_timer", {"minutes": 3})], 1.0, 0),
        ([Call("get_weather", {"city": "Rome"})], 0.5, 0),
        ([Call("get_weather", {"city": "Rome"}), Call("set_timer", {"minutes": "3"})], 0.5, 1),
        ([Call("get_weather", {"city": "Rome"}), Call("set_timer", {"minutes": 4})], 0.5, 0),
        ([Call("get_weather", {"city": "Rome"}), Call("launch", {})], 0.5, 1),
        ([Call("get_weather", {"city": "Rome"})] * 4, 0.25, 0),
        ([], 0.0, 0),
    ],
)
def test_near_misses(calls, accuracy, malformed):
    done = outcome(ROW, Action("", calls=tuple(calls)))
    assert done.info["call_accuracy"] == accuracy
    assert done.info.get("arguments", 0) == malformed
    assert done.reward == float(accuracy == 1)


def test_a_call_that_cannot_be_read_is_malformed():
    done = outcome(ROW, parse("<tool_call>{</tool_call>"))
    assert (done.reward, done.info) == (0.0, {"call_accuracy": 0.0, "calls": 1, "unread": 1})


def test_the_rules():
    keeps_the_rules(FunctionCalling)
    with pytest.raises(ValueError, match="reads the column calls, and the prompt has none"):
        FunctionCalling().reset(Prompt(0, "?"), 0)

"""What goes between the processes comes back as it was; a process may send anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from posttrain.environments import wire
from posttrain.environments.environment import Action, Call, Outcome
from posttrain.records import Prompt

TURN = {"role": "user", "content": "x"}


def test_all_comes_back() -> None:
    action = Action("<call>", "", (Call("add", {"a": [1]}, "7"),), ("no JSON",), ended=False)
    assert wire.action_of(json.loads(json.dumps(wire.plain_action(action)))) == action
    outcome = Outcome((TURN,), 0.5, True, {"n": 1, "found": ["a"], "best": {"x": None}})
    assert wire.outcome_of(json.loads(json.dumps(wire.plain_outcome(outcome)))) == outcome
    prompt = Prompt(3, (TURN,), {"goal": 1}, "a.jsonl:3")
    assert wire.prompt_of(json.loads(json.dumps(wire.plain_prompt(prompt)))) == prompt
    opening = wire.opening_of(json.loads(json.dumps(wire.plain_opening([TURN], [{"name": "add"}]))))
    assert opening == wire.Opening((TURN,), ({"name": "add"},))
    listed = wire.plain_opening([TURN], [], ["left", "right"])
    assert wire.opening_of(json.loads(json.dumps(listed))).choices == ("left", "right")
    outcome = Outcome((TURN,), choices=("left", "right"))
    assert wire.outcome_of(json.loads(json.dumps(wire.plain_outcome(outcome)))) == outcome


def test_notes_are_numbers_and_short_texts() -> None:
    info = wire.plain_outcome(Outcome((TURN,), info={"object": object, "long": "x" * 9999}))["info"]
    assert len(info["long"]) == 2000
    assert info["object"] == "<class 'object'>"


@pytest.mark.parametrize("plain", [None, [], {}, {"messages": [], "reward": 1, "done": True, "info": {}, "more": 1}])
def test_no_outcome(plain: Any) -> None:
    with pytest.raises(ValueError, match="no outcome"):
        wire.outcome_of(plain)


@pytest.mark.parametrize("messages", [(), "Hi", None, ["Hi"], [{"content": "x"}], [{"role": "user", "content": 1}]])
def test_no_conversation(messages: Any) -> None:
    with pytest.raises(wire.NonsenseError, match="reset"):
        wire.plain_opening(messages, [])


@pytest.mark.parametrize("choices", ["left", None, [1], ["left", "left"], ["left", ""]])
def test_no_list_of_actions(choices: Any) -> None:
    with pytest.raises(wire.NonsenseError, match="choices returned"):
        wire.plain_choices(choices)

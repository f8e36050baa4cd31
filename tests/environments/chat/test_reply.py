"""Answers of OpenAI's chat protocol."""

from __future__ import annotations

import json

import pytest

from posttrain.environments.chat.reply import completion, refusal, said
from posttrain.environments.chat.request import plain
from posttrain.environments.environment import Action, Call

CALLS = Action("Now <add>", "Now", (Call("add", {"a": 1}, "call00000"),))


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (Action("Hi", "Hi"), "stop"),
        (Action("Hi", "Hi", ended=False), "length"),
        (CALLS, "tool_calls"),
        (Action("<add>", "", CALLS.calls), "tool_calls"),
        (Action("<add><ad", "<ad", CALLS.calls, unread=("no JSON",)), "stop"),
    ],
)
def test_what_is_answered_is_what_is_expected_back(action: Action, reason: str) -> None:
    status, told = completion(action, "m", "chatcmpl-1")
    (choice,) = json.loads(json.dumps(told))["choices"]
    assert (status, told["id"], told["object"], told["model"]) == (200, "chatcmpl-1", "chat.completion", "m")
    assert (choice["finish_reason"], choice["index"]) == (reason, 0)
    assert plain(choice["message"]) == said(action)


def test_calls_are_in_openais_form() -> None:
    message = completion(CALLS, "m", "chatcmpl-1")[1]["choices"][0]["message"]
    assert message["content"] == "Now"
    assert message["tool_calls"] == [
        {"id": "call00000", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    ]
    assert said(Action("<add><ad", "<ad", CALLS.calls, unread=("no JSON",)))["content"] == "<add><ad"


def test_an_error() -> None:
    status, told = refusal("no", 404)
    assert (status, told["error"]["message"], told["error"]["type"]) == (404, "no", "invalid_request_error")

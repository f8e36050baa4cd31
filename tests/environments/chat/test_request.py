"""Requests of OpenAI's chat protocol: what is read, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from posttrain.environments.chat.request import RequestError, plain, read

HI = {"role": "user", "content": "Hi"}


def body(**keys: Any) -> bytes:
    return json.dumps({"messages": [HI], **keys}).encode()


def test_what_is_not_used_is_named() -> None:
    asked = read(body(model="m", top_p=0.5, max_tokens=7, user="me", n=1, stream=False, stop=None, temperature=None))
    assert (asked.messages, asked.model, asked.tools) == ((HI,), "m", ())
    assert asked.unused == ("max_tokens=7", "top_p=0.5")


def test_equal_messages_have_one_form() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "add", "arguments": '{"b": 1, "a": 2}'}}
    as_dumped = {"role": "assistant", "content": None, "refusal": None, "annotations": [], "tool_calls": [call]}
    parsed = {**call, "function": {"name": "add", "arguments": {"a": 2, "b": 1}}}
    assert plain(as_dumped) == plain({"role": "assistant", "content": "", "tool_calls": [parsed]})
    parts = [{"type": "text", "text": "You "}, {"type": "text", "text": "add."}]
    assert plain({"role": "developer", "content": parts}) == {"role": "system", "content": "You add."}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"{", "no JSON"),
        (b"[]", "JSON object with messages"),
        (b'{"messages": []}', "at least one message"),
        (body(stream=True), "stream=true is not supported in training; send false or leave it out"),
        (body(n=4), "n=4"),
        (body(stop=["x"]), "stop="),
        (body(tool_choice="required"), "tool_choice"),
        (body(response_format={"type": "json_object"}), "response_format"),
        (body(function_call="auto"), "function_call=.*leave it out"),
        (body(logprobs=True), "logprobs"),
        (body(tools=["add"]), "list of schemas"),
        (body(messages=["Hi"]), "object with role"),
        (body(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]), "must be text"),
        (body(messages=[{"role": "assistant", "tool_calls": [{"id": "a"}]}]), "a call of a message"),
    ],
)
def test_what_cannot_be_answered(given: bytes, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        read(given)

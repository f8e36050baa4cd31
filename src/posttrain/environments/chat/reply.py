"""The answers of OpenAI's chat protocol: a completion, or an error."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from posttrain.environments.environment import Action
from posttrain.records import Message

Reply = tuple[int, Mapping[str, Any]]
"""The status of HTTP, and the body."""


def said(action: Action) -> Message:
    """Return a turn as the message that the agent reads. With a call that cannot be read, all of it is text."""
    if not action.calls or action.unread:
        return {"role": "assistant", "content": action.text}
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": dict(call.arguments)}}
        for call in action.calls
    ]
    return {"role": "assistant", "content": action.content, "tool_calls": calls}


def completion(action: Action, model: str, name: str) -> Reply:
    """Answer with a turn of the policy. `name`: the id of the completion."""
    message = said(action)
    calls = [
        {**call, "function": {**call["function"], "arguments": json.dumps(call["function"]["arguments"])}}
        for call in message.get("tool_calls", ())
    ]
    told = {**message, "content": message["content"] or None, "tool_calls": calls} if calls else message
    reason = "length" if not action.ended else "tool_calls" if calls else "stop"
    choice = {"index": 0, "message": {**told, "refusal": None}, "logprobs": None, "finish_reason": reason}
    made = {"id": name, "object": "chat.completion", "created": int(time.time()), "model": model}
    return 200, {**made, "choices": [choice]}


def refusal(why: str, status: int = 400) -> Reply:
    """Answer with an error. Clients do not send a request again that was refused with 400, 401 or 404."""
    return status, {"error": {"message": why, "type": "invalid_request_error", "param": None, "code": None}}

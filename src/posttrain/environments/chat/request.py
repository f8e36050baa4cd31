"""A request of OpenAI's chat protocol: its messages and tools, and what it asks for that an episode cannot do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from posttrain.records import Message
from posttrain.turns import content

ONLY: Mapping[str, Sequence[Any]] = MappingProxyType(
    {
        "stream": (False,),
        "n": (1,),
        "tool_choice": ("auto",),
        "response_format": ({"type": "text"},),
        "modalities": (["text"],),
        "logprobs": (False,),
        "stop": ([],),
        "logit_bias": ({},),
        "functions": ([],),
        "function_call": (),
    }
)
"""Keys that change what an answer is, and the values that an episode can keep to."""
QUIET = frozenset({"user", "metadata", "store", "stream_options", "service_tier", "safety_identifier"})
"""Keys that change nothing in an answer."""


class RequestError(ValueError):
    """A request that cannot be answered; the message says what to send instead."""


@dataclass(frozen=True)
class Asked:
    """A request that can be answered. `unused`: what it says of sampling, which the run file decides."""

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    model: str = ""
    unused: tuple[str, ...] = ()


def read(body: bytes) -> Asked:
    """Read a request. Raises RequestError, which names the key, for what cannot be answered."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the request is no JSON: {error}") from None
    if not isinstance(given, Mapping):
        raise RequestError("the request must be a JSON object with messages")
    asked = {key: value for key, value in given.items() if value is not None}
    for key, values in ONLY.items():
        if key in asked and asked[key] not in values:
            remedy = f"; send {json.dumps(values[0])} or leave it out" if values else "; leave it out"
            raise RequestError(f"{key}={json.dumps(asked[key])[:80]} is not supported in training{remedy}")
    messages, tools = asked.get("messages"), asked.get("tools", [])
    if not isinstance(messages, list) or not messages:
        raise RequestError("messages must be a list of at least one message")
    if not isinstance(tools, list) or not all(isinstance(tool, Mapping) for tool in tools):
        raise RequestError("tools must be a list of schemas")
    unused = sorted(asked.keys() - {"messages", "tools", "model"} - ONLY.keys() - QUIET)
    named = tuple(f"{key}={json.dumps(asked[key])[:40]}" for key in unused)
    return Asked(tuple(map(plain, messages)), tuple(tools), str(asked.get("model", "")), named)


def plain(message: Any) -> Message:
    """Return a message in one form, in which equal ones are equal: text as content, arguments of calls as an object."""
    if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
        raise RequestError(f"a message must be an object with role and content, not {message!r:.80}")
    parts = message.get("content") or ""
    if not isinstance(parts, str) and not (isinstance(parts, list) and all(map(_is_text, parts))):
        raise RequestError("the content of a message must be text; images and audio are not supported here")
    kept = {key: value for key, value in message.items() if value is not None and value != []}
    role = "system" if kept["role"] == "developer" else kept["role"]
    calls = {"tool_calls": [_call(call) for call in kept["tool_calls"]]} if "tool_calls" in kept else {}
    return {**kept, "role": role, "content": content(message), **calls}


def _is_text(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _call(call: Any) -> dict[str, Any]:
    try:
        function = call["function"]
        arguments = function["arguments"]
        parsed = json.loads(arguments) if isinstance(arguments, str) else arguments
        return {"id": call["id"], "type": "function", "function": {"name": function["name"], "arguments": parsed}}
    except (KeyError, TypeError, ValueError, RecursionError):
        raise RequestError(f"a call of a message cannot be read: {call!r:.120}") from None

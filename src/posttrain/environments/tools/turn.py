"""A sampled turn as a message of the conversation: all its text, or its text and calls apart."""

from __future__ import annotations

from posttrain.environments.environment import Action
from posttrain.records import Message


def messages_of(action: Action) -> list[Message]:
    """Return the forms of a turn in the order of preference, for data.chat.continuation.followed.

    As text it stays as the policy wrote it, in templates that do not touch it. Others know calls only under their key.
    """
    whole = {"role": "assistant", "content": action.text}
    if not action.calls or action.unread:
        return [whole]
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": dict(call.arguments)}}
        for call in action.calls
    ]
    return [whole, {"role": "assistant", "content": action.content, "tool_calls": calls}]

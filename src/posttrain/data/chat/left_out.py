"""What a chat template leaves out of a conversation, found by comparing what went in with the text that came out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from posttrain.records import Message

THOUGHT = re.compile(r"</?think(?:ing)?>")
REASONING = ("reasoning_content", "reasoning", "thinking")  # keys of a message that hold a thought


class Written:
    """A rendered text, to be searched for what messages say. White space and JSON's escapes make no difference."""

    def __init__(self, text: str) -> None:
        self.text = _squeezed(text)

    def has(self, words: str) -> bool:
        """Whether the text holds these words, as they are or as JSON writes them."""
        return any(_squeezed(form) in self.text for form in _forms(words))

    def has_all(self, value: Any) -> bool:
        """Whether the text holds the keys and texts of a value."""
        return all(map(self.has, _leaves(value)))

    def lacks_document(self, documents: Sequence[Any]) -> bool:
        """Whether texts of a document are left out, whatever the template calls them."""
        return not all(self.has_all(list(d.values()) if isinstance(d, Mapping) else d) for d in documents)

    def lacks_content(self, message: Message) -> bool:
        """Whether words of the content, thoughts aside, are left out."""
        *_, last = THOUGHT.split(str(message.get("content") or ""))
        return not self.has(last)

    def lacks_thought(self, message: Message) -> bool:
        """Whether a thought is left out, in the content before `</think>` or under a key of its own."""
        *inside, _ = THOUGHT.split(str(message.get("content") or ""))
        own = [message[key] for key in REASONING if isinstance(message.get(key), str)]
        # A message may have its thought under several keys; the template writes one of them.
        return not all(map(self.has, inside)) or bool(own and not any(map(self.has, own)))

    def missing_call(self, message: Message) -> str | None:
        """Return the name of a tool call whose name or arguments are left out."""
        for call in message.get("tool_calls") or ():
            function = call.get("function", call) if isinstance(call, Mapping) else {}
            name = str(function.get("name", ""))
            if not self.has(name) or not self.has_all(function.get("arguments")):
                return name
        return None

    def missing_tool(self, tools: Sequence[Any]) -> str | None:
        """Return the name of a tool whose definition is left out."""
        names = (str(tool.get("function", tool).get("name", "")) for tool in tools if isinstance(tool, Mapping))
        return next((name for name in names if not self.has(name)), None)


def _leaves(value: Any) -> Iterator[str]:
    """The keys and texts of arguments; numbers may be written in several ways."""
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            inner = None
        if isinstance(inner, Mapping):
            yield from _leaves(inner)
        else:
            yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)


def _forms(words: str) -> Iterator[str]:
    yield words
    html = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "'": "\\u0027"}  # as jinja's own `tojson` writes them
    for ascii_only in (False, True):
        quoted = json.dumps(words, ensure_ascii=ascii_only)[1:-1]
        yield quoted
        yield "".join(html.get(c, c) for c in quoted)


def _squeezed(text: str) -> str:
    return " ".join(text.split())

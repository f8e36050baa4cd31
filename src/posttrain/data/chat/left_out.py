"""What a chat template leaves out of a conversation, found by comparing what went in with the text that came out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from posttrain.records import Message

THOUGHT = re.compile(r"</?think(?:ing)?>")
REASONING = ("reasoning_content", "reasoning", "thinking")  # keys of a message that hold a thought


Part = tuple[str, int]  # "content", "thought" or "call" and the number of a message; "tools" or "documents" and 0
NO_PARTS: frozenset[Part] = frozenset()


class Written:
    """A rendered text, to be searched for what messages say. White space and JSON's escapes make no difference.

    `missing`: parts that the template is known to leave out, even where their words stand elsewhere in the text.
    """

    def __init__(self, text: str, missing: frozenset[Part] = NO_PARTS) -> None:
        self.rendered = text
        self.missing = missing

    @cached_property
    def text(self) -> str:
        """The text with one space for each run of white space."""
        return _squeezed(self.rendered)

    def has(self, words: str) -> bool:
        """Whether the text holds these words, as they are or as JSON writes them."""
        return any(_squeezed(form) in self.text for form in _forms(words))

    def has_all(self, value: Any) -> bool:
        """Whether the text holds the keys and texts of a value; of a text that is JSON, itself or these."""
        return (isinstance(value, str) and self.has(value)) or all(map(self.has, _leaves(value)))

    def lacks_document(self, documents: Sequence[Any]) -> bool:
        """Whether texts of a document are left out, whatever the template calls them."""
        texts = (list(d.values()) if isinstance(d, Mapping) else d for d in documents)
        return ("documents", 0) in self.missing or not all(map(self.has_all, texts))

    def lacks_content(self, message: Message, number: int = 0) -> bool:
        """Whether words of the content, thoughts aside, are left out of the message of this number."""
        *_, last = THOUGHT.split(str(message.get("content") or ""))
        return ("content", number) in self.missing or not self.has(last)

    def lacks_thought(self, message: Message, number: int = 0) -> bool:
        """Whether a thought is left out, in the content before `</think>` or under a key of its own."""
        *inside, _ = THOUGHT.split(str(message.get("content") or ""))
        own = [message[key] for key in REASONING if isinstance(message.get(key), str)]
        if ("thought", number) in self.missing:
            return True
        # A message may have its thought under several keys; the template writes one of them.
        return not all(map(self.has, inside)) or bool(own and not any(map(self.has, own)))

    def missing_call(self, message: Message, number: int = 0) -> str | None:
        """Return the name of a tool call whose name or arguments are left out."""
        for call in message.get("tool_calls") or ():
            function = call.get("function", call) if isinstance(call, Mapping) else {}
            name = str(function.get("name", ""))
            written = self.has(name) and self.has_all(function.get("arguments"))
            if ("call", number) in self.missing or not written:
                return name
        return None

    def missing_tool(self, tools: Sequence[Any]) -> str | None:
        """Return the name of a tool whose definition is left out."""
        names = (str(tool.get("function", tool).get("name", "")) for tool in tools if isinstance(tool, Mapping))
        return next((name for name in names if ("tools", 0) in self.missing or not self.has(name)), None)


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

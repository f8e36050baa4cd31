"""What a chat template leaves out of conversations of one shape, found by rendering one with a word added everywhere.

Words of a message may stand elsewhere in the text, too: an answer repeats what a tool said, or names the tool that it
calls. An added word stands nowhere else. It is missing where the template leaves out what it was added to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from posttrain.data.chat.left_out import NO_PARTS, REASONING, THOUGHT, Part
from posttrain.errors import DataError
from posttrain.records import Message

Settings = Mapping[str, Any]
Render = Callable[[Sequence[Message], Settings], str]

REMEMBERED = 4096  # shapes


@dataclass
class Probe:
    """The parts that a template leaves out, for each shape of conversation that it was asked about."""

    left_out: dict[Any, frozenset[Part]] = field(default_factory=dict)

    def missing(
        self, conversation: Sequence[Message], settings: Settings, render: Render, *, answer_next: bool
    ) -> frozenset[Part]:
        """Return the parts of a conversation that the template leaves out of all conversations of its shape."""
        shape = (answer_next, *map(_shape, conversation), *sorted(settings))
        if shape not in self.left_out:
            if len(self.left_out) == REMEMBERED:
                self.left_out.clear()
            self.left_out[shape] = _probed(conversation, settings, render)
        return self.left_out[shape]


def _probed(conversation: Sequence[Message], settings: Settings, render: Render) -> frozenset[Part]:
    words: dict[str, Part] = {}

    def word(kind: str, number: int) -> str:
        added = f"zqx{len(words)}xqz"
        words[added] = (kind, number)
        return added

    messages = [_with_words(message, number, word) for number, message in enumerate(conversation)]
    changed = {
        name: _with_word(value, word(name, 0)) if name in ("tools", "documents") and value else value
        for name, value in settings.items()
    }
    try:
        text = render(messages, changed)
    except DataError:  # the template checks what was changed
        return NO_PARTS
    return frozenset(part for added, part in words.items() if added not in text)


def _with_words(message: Message, number: int, word: Callable[[str, int], str]) -> Message:
    """Add a word to each part of a message."""
    changed = dict(message)
    content = message.get("content")
    if isinstance(content, str):
        *inside, last = THOUGHT.split(content)
        if any(text.strip() for text in inside):
            closing = content.rindex("<", 0, len(content) - len(last))
            content = f"{content[:closing]} {word('thought', number)}{content[closing:]}"
        changed["content"] = f"{content} {word('content', number)}" if last.strip() else content
    if keys := [key for key in REASONING if isinstance(message.get(key), str) and message[key].strip()]:
        thought = word("thought", number)
        changed |= {key: f"{message[key]} {thought}" for key in keys}
    if calls := message.get("tool_calls"):
        changed["tool_calls"] = [_with_word(call, word("call", number)) for call in calls]
    return changed


def _with_word(value: Any, added: str) -> Any:
    """Add a word to every text of a value, but to those under keys that templates look at."""
    if isinstance(value, str):
        return f"{value}{added}"
    if isinstance(value, Mapping):
        return {k: v if k in ("type", "id", "index") else _with_word(v, added) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_with_word(v, added) for v in value]
    return value


def _shape(message: Message) -> tuple[Any, ...]:
    content = str(message.get("content") or "")
    said = THOUGHT.split(content) if "think" in content else (content,)
    return tuple(message), message["role"], *map(bool, map(str.strip, said)), len(message.get("tool_calls") or ())

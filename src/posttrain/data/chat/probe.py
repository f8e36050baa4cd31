"""What a chat template leaves out of a conversation, found by rendering it once more with a word added everywhere.

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
DEFINITIONS = ("tools", "documents")  # settings that hold words of the user


@dataclass
class Probe:
    """What a template leaves out. `complete`: shapes of which it has written everything; they are not probed again.

    Where something is missing, the next conversation of that shape is probed, too: its words may make a difference
    (`/no_think`).
    """

    complete: set[Any] = field(default_factory=set)

    def missing(
        self, conversation: Sequence[Message], settings: Settings, render: Render, *, answer_next: bool
    ) -> frozenset[Part]:
        """Return the parts of a conversation that the template leaves out."""
        shape = (answer_next, *map(_shape, conversation), *(_setting(*item) for item in sorted(settings.items())))
        if shape in self.complete:
            return NO_PARTS
        left_out = _probed(conversation, settings, render)
        if not left_out:
            if len(self.complete) == REMEMBERED:
                self.complete.clear()
            self.complete.add(shape)
        return left_out


def _probed(conversation: Sequence[Message], settings: Settings, render: Render) -> frozenset[Part]:
    words: dict[str, Part] = {}

    def word(kind: str, number: int) -> str:
        added = f"zqx{len(words)}xqz"
        words[added] = (kind, number)
        return added

    messages = [_with_words(message, number, word) for number, message in enumerate(conversation)]
    changed = {
        name: _with_word(value, word(name, 0)) if name in DEFINITIONS and value else value
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


def _setting(name: str, value: Any) -> tuple[str, Any]:
    return name, bool(value) if name in DEFINITIONS else repr(value)


def _shape(message: Message) -> tuple[Any, ...]:
    content = str(message.get("content") or "")
    said = THOUGHT.split(content) if "think" in content else (content,)
    return tuple(message), message["role"], *map(bool, map(str.strip, said)), len(message.get("tool_calls") or ())

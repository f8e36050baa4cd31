"""The text of a turn as an action: what it says, the calls in it, and why others cannot be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from posttrain.environments.environment import Action, Call
from posttrain.environments.tools.forms import deepseek, harmony, hermes, json_lines, mistral, pythonic, qwen_coder
from posttrain.environments.tools.written import Read, Schemas

FORMS: Mapping[str, Read] = MappingProxyType(
    {
        "hermes": hermes.read,
        "qwen_coder": qwen_coder.read,
        "mistral": mistral.read,
        "json": json_lines.read,
        "pythonic": pythonic.read,
        "deepseek": deepseek.read,
        "harmony": harmony.read,
    }
)
THOUGHT_ENDS = re.compile(r"</think(?:ing)?>")
THOUGHT = re.compile(r"\s*<think(?:ing)?>")


def parse(
    text: str, form: str = "hermes", schemas: Schemas = (), *, turn: int = 0, thinking: bool = False, ended: bool = True
) -> Action:
    """Read a turn whose calls have one of the FORMS. What cannot be read goes to `unread`; nothing raises.

    A thought holds no calls; `thinking`: the prompt has opened one. `turn`: the number of this turn in its episode,
    for ids of calls (`call02000`, nine characters as Mistral wants them). `ended`: see Action.
    """
    found = FORMS[form](text, _behind_thought(text, thinking=thinking), schemas)
    calls: list[Call] = []
    unread: list[str] = []
    content: list[str] = []
    at = 0
    for number, written in enumerate(found):
        content.append(text[at : written.start])
        at = max(at, written.end)
        if written.fault:
            unread.append(f"call {number + 1} cannot be read: {written.fault}")
        else:
            calls.append(Call(written.name, written.arguments or {}, f"call{turn % 100:02}{number % 1000:03}"))
    content.append(text[at:])
    return Action(text, "".join(content).strip() if found else text, tuple(calls), tuple(unread), ended)


def _behind_thought(text: str, *, thinking: bool) -> int:
    """Return where the answer begins behind its thought; at the end of the text if that does not end."""
    if not thinking and not THOUGHT.match(text):
        return 0
    end = THOUGHT_ENDS.search(text)
    return end.end() if end else len(text)

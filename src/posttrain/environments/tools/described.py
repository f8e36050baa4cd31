"""Tools for models whose chat template does not know them: definitions as text, results as messages of the user.

The words are those of Hermes and Qwen, which most models have seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from posttrain.environments.tools.find import Writing
from posttrain.records import Message
from posttrain.turns import content

HEAD = "You may call these functions:\n<tools>\n"
FOOT = (
    "\n</tools>\n\nTo call one, write a JSON object with its name and arguments:\n"
    '<tool_call>\n{"name": "...", "arguments": {...}}\n</tool_call>'
)
EXAMPLES = {
    "qwen_coder": "<tool_call>\n<function=NAME>\n<parameter=KEY>\nVALUE\n</parameter>\n</function>\n</tool_call>",
    "mistral": '[TOOL_CALLS] [{"name": "...", "arguments": {...}}]',
    "json": '{"name": "...", "parameters": {...}}',
    "pythonic": "[name(key=value)]",
    "deepseek": (
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME\n"
        '```json\n{"KEY": VALUE}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>'
    ),
    "harmony": '<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{"KEY": VALUE}<|call|>',
}


def with_tools(writing: Writing, messages: Sequence[Message], schemas: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Return a conversation whose first message says which tools there are, where the chat template does not."""
    if writing.tools or not schemas:
        return list(messages)
    listed = "\n".join(json.dumps(schema, ensure_ascii=False) for schema in schemas)
    text = f"{HEAD}{listed}{_foot(writing.form)}"
    first, *rest = messages
    if first["role"] == "system" or not writing.system:
        before = content(first)
        joint = f"{before}\n\n{text}" if first["role"] == "system" else f"{text}\n\n{before}"
        return [{**first, "content": joint}, *rest]
    return [{"role": "system", "content": text}, *messages]


def _foot(form: str) -> str:
    if form not in EXAMPLES:
        return FOOT
    return f"\n</tools>\n\nTo call one, write:\n{EXAMPLES[form]}"


def with_results(writing: Writing, messages: Sequence[Message]) -> list[Message]:
    """Return what an environment answered; results are a message of the user where templates have no role for them."""
    if writing.results:
        return list(messages)
    return list(_spoken(messages))


def _spoken(messages: Sequence[Message]) -> Iterator[Message]:
    results: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            results.append(f"<tool_response>\n{content(message)}\n</tool_response>")
            continue
        if results and message["role"] == "user":
            message = {**message, "content": "\n".join([*results, content(message)])}
            results = []
        elif results:
            yield {"role": "user", "content": "\n".join(results)}
            results = []
        yield message
    if results:
        yield {"role": "user", "content": "\n".join(results)}

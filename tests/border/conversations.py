"""Strategies for conversations that a family supports: any texts, several turns, tools, thoughts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.border.families import Family

PIECES = (
    *(
        "a",
        "The",
        "Paris",
        " is",
        "7",
        "12",
        "3.5",
        "2+2=",
        "=4",
        ".",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        "\u00a0",
        "\u200b",
    ),
    *("é", "e\u0301", "ﬁ", "ß", "שלום", "مرحبا", "日本", "👩‍👩‍👧", "🇫🇷", "👍🏽", "\u202e", "ǅ", "𝕏"),
    *(
        '"',
        "'",
        "\\n",
        "\\",
        "{{ x }}",
        "{% if",
        "<b>&amp;",
        "</s",
        "<|",
        "|>",
        "▁",
        "##s",
        "[x]",
        "</answer>",
        "<answer>",
    ),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
WORDS = TEXTS.filter(lambda text: bool(text.strip()))
NAMES = st.sampled_from(("weather", "find_city", "add"))
VALUES = st.one_of(WORDS, st.integers(-5, 99), st.booleans(), st.lists(st.integers(0, 9), max_size=2))
ARGUMENTS = st.dictionaries(st.sampled_from(("city", "n", "unité")), VALUES, max_size=2)


@dataclass(frozen=True)
class Case:
    """A conversation; its messages from `first` on are answered, the ones before are the prompt."""

    messages: tuple[Mapping[str, Any], ...]
    first: int
    arguments: Mapping[str, Any]


@st.composite
def cases(draw: Any, family: Family, rounds: int = 3) -> Case:
    """Draw a conversation of one to `rounds` questions that uses only what the family writes."""
    messages: list[dict[str, Any]] = []
    if "system" in family.writes and draw(st.booleans()):
        messages.append({"role": "system", "content": draw(TEXTS)})
    has_tools = "tools" in family.writes and draw(st.booleans())
    for _ in range(draw(st.integers(1, rounds))):
        messages += draw(one_round(family, has_tools))
    answers = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
    first = draw(st.sampled_from((0, *answers)))
    for i in answers[:-1]:
        if draw(st.integers(0, 4)) == 0:
            messages[i]["trained"] = False
    arguments: dict[str, Any] = {"tools": draw(tools())} if has_tools else {}
    if "documents" in family.writes and draw(st.booleans()):
        arguments["documents"] = [{"title": draw(WORDS), "text": draw(TEXTS)}]
    return Case(tuple(messages), first, arguments)


@st.composite
def one_round(draw: Any, family: Family, has_tools: bool) -> list[dict[str, Any]]:
    """Draw what happens between one question and the answer that ends its round."""
    asked = [{"role": "user", "content": draw(TEXTS)}]
    if "consecutive" in family.writes and draw(st.integers(0, 5)) == 0:
        asked.append({"role": "user", "content": draw(TEXTS)})
    if not has_tools:
        return [*asked, draw(answers(family))]
    turns: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 2))):
        calls = draw(st.integers(1, 1 if family.one_call else 2))
        ids = [f"call{len(turns):02}{n:03}" for n in range(calls)]
        turns.append({"role": "assistant", "content": "", "tool_calls": [draw(call(i)) for i in ids]})
        turns += [{"role": "tool", "name": "weather", "content": draw(TEXTS), "tool_call_id": i} for i in ids]
    return [*asked, *turns, draw(answers(family))]


@st.composite
def answers(draw: Any, family: Family) -> dict[str, Any]:
    """Draw an answer, with its thought under a key of its own or in the content where the family writes thoughts."""
    text = draw(WORDS)
    if "thoughts" not in family.writes:
        return {"role": "assistant", "content": text}
    form = draw(st.sampled_from(("key", "content") if family.opens else ("none", "key", "content")))
    if family.name == "harmony" or form == "none":
        key = "thinking" if form == "key" else "none"
        return {"role": "assistant", "content": text} | ({"thinking": draw(WORDS)} if key == "thinking" else {})
    thought = draw(WORDS)
    if family.opens:  # no template says which white space joins the two
        text, thought = text.strip(), thought.strip()
    if form == "key":
        return {"role": "assistant", "content": text, "reasoning_content": thought}
    return {"role": "assistant", "content": f"<think>\n{thought}\n</think>\n\n{text}"}


@st.composite
def call(draw: Any, identity: str) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": draw(NAMES), "arguments": draw(ARGUMENTS)}}


@st.composite
def tools(draw: Any) -> list[dict[str, Any]]:
    names = draw(st.lists(NAMES, min_size=1, max_size=2, unique=True))
    parameters = {"type": "object", "properties": {"city": {"type": "string", "description": draw(TEXTS)}}}
    return [
        {"type": "function", "function": {"name": n, "description": draw(TEXTS), "parameters": parameters}}
        for n in names
    ]

"""Questions made of other records: their prompts alone, a part of them for each round, more text at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from posttrain.records import Prompt, Record, Turns

R = TypeVar("R", bound=Record)


def prompts_of(records: Iterable[Record]) -> list[Prompt]:
    """What the records ask, each question once, with the columns of the first record that asks it."""
    asked: dict[str, Prompt] = {}
    for r in records:
        asked.setdefault(repr(r.prompt), r if isinstance(r, Prompt) else Prompt(r.id, r.prompt, r.columns, r.where))
    return list(asked.values())


def part_of(records: Sequence[R], number: int, count: int | None) -> list[R]:
    """The `number`-th `count` records, beginning anew after the last; None: all of them every time."""
    if count is None or count >= len(records):
        return list(records)
    return [records[(number * count + i) % len(records)] for i in range(count)]


def extended(turns: Turns, text: str) -> Turns:
    """A prompt with text at its end: of a conversation, at the end of the last message."""
    if isinstance(turns, str):
        return turns + text
    return *turns[:-1], {**turns[-1], "content": f"{turns[-1]['content']}{text}"}


def asking(prompts: Iterable[Prompt], text: str) -> list[Prompt]:
    """The same questions with text at their end, in which `{answer}` and other columns are filled in."""
    return [replace(p, prompt=extended(p.prompt, filled(text, p))) for p in prompts]


def filled(text: str, prompt: Prompt) -> str:
    """Text with `{column}` replaced by what the prompt's column says; other braces stay."""
    for name, value in prompt.columns.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text

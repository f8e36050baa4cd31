"""Prompts from other records: their questions alone, the part of a round, the hardest, and more text at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil
from statistics import fmean
from typing import TypeVar

from posttrain.records import Episode, Prompt, Record, Turns

R = TypeVar("R", bound=Record)


def prompts_of(records: Iterable[Record]) -> list[Prompt]:
    """Return the prompts of the records, each question once, with the columns of the first record that has it."""
    asked: dict[str, Prompt] = {}
    for r in records:
        asked.setdefault(repr(r.prompt), r if isinstance(r, Prompt) else Prompt(r.id, r.prompt, r.columns, r.where))
    return list(asked.values())


def part_of(records: Sequence[R], number: int, count: int | None) -> list[R]:
    """Return the `number`-th part of `count` records, which starts again after the last record; None: all records."""
    if count is None or count >= len(records):
        return list(records)
    return [records[(number * count + i) % len(records)] for i in range(count)]


def extended(turns: Turns, text: str) -> Turns:
    """Return a prompt with text at its end: in a conversation, at the end of the last message."""
    if isinstance(turns, str):
        return turns + text
    return *turns[:-1], {**turns[-1], "content": f"{turns[-1]['content']}{text}"}


def preceding(prompts: Iterable[Prompt], text: str) -> list[Prompt]:
    """Return the prompts with text before them; in a conversation it begins the system message."""
    return [replace(p, prompt=preceded(p.prompt, text)) for p in prompts]


def preceded(turns: Turns, text: str) -> Turns:
    """Return a prompt with text before it; in a conversation it begins the system message."""
    if isinstance(turns, str):
        return text + turns
    if not text:
        return turns
    if turns[0]["role"] == "system":
        return {**turns[0], "content": f"{text}{turns[0]['content']}"}, *turns[1:]
    return {"role": "system", "content": text}, *turns


def asking(prompts: Iterable[Prompt], text: str) -> list[Prompt]:
    """Return the prompts with text at their end, in which `{answer}` and other columns are filled in."""
    return [replace(p, prompt=extended(p.prompt, filled(text, p))) for p in prompts]


def filled(text: str, prompt: Prompt) -> str:
    """Return the text with `{column}` replaced by the prompt's column; other braces stay."""
    for name, value in prompt.columns.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def hardest(prompts: Sequence[R], answers: Iterable[Episode], share: float, domain: str) -> list[R]:
    """Return the prompts of each domain with the lowest mean reward: a share of them, rounded up; in their order.

    `domain`: the column that says it. Prompts of which no answer was scored are left out.
    """
    scores: dict[int, list[float]] = {}
    for answer in answers:
        if answer.reward is not None:
            scores.setdefault(answer.prompt.id, []).append(answer.reward)
    domains: dict[str, list[int]] = {}
    for p in prompts:
        if p.id in scores:
            domains.setdefault(str(p.columns.get(domain)), []).append(p.id)
    kept: set[int] = set()
    for ids in domains.values():
        ranked = sorted(ids, key=lambda i: fmean(scores[i]))
        kept.update(ranked[: ceil(share * len(ranked))])
    return [p for p in prompts if p.id in kept]

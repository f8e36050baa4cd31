"""Sampled answers, written by hand."""

from __future__ import annotations

from typing import Any

from posttrain.records import Episode, Prompt


def asked(number: int, **columns: Any) -> Prompt:
    return Prompt(number, f"question {number}", columns, f"file:{number}")


def said(number: int, text: str, reward: float | None, *, sample: int = 0, author: int = 0, **how: Any) -> Episode:
    """An answer to question `number`; a token is a character."""
    tokens = tuple(text.encode())
    given = {"prompt": asked(number), "ended": True, **how}
    return Episode.of_answer(
        author=author, sample=sample, prompt_tokens=(1, 2), tokens=tokens, logp=(-0.5,) * len(tokens), text=text,
        reward=reward, **given,
    )  # fmt: skip


def group(number: int, *rewards: float | None, author: int = 0) -> list[Episode]:
    """Answers a, bb, ccc, ... with these rewards."""
    return [said(number, "abcdefghij"[i] * (i + 1), r, sample=i, author=author) for i, r in enumerate(rewards)]

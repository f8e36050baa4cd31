"""Exact match: the whole completion must be the answer."""

from __future__ import annotations


def exact_match(
    prompts: list[str],  # noqa: ARG001 -- every reward takes the prompts
    completions: list[str],
    answer: list[str | int | float | None],
) -> list[float | None]:
    """1.0 where the completion equals the column `answer`, both stripped of white space at the ends, else 0.0.

    Upper and lower case differ, and so do "12" and "12.0". A number in the data is compared as Python writes it.
    Abstains where `answer` is None.
    """
    return [_grade(*pair) for pair in zip(completions, answer, strict=True)]


def _grade(completion: str, gold: str | int | float | None) -> float | None:
    if gold is None:
        return None
    if isinstance(gold, bool) or not isinstance(gold, str | int | float):
        raise TypeError(f"answer is {gold!r:.80}, but exact_match compares with a text or a number")
    return float(completion.strip() == str(gold).strip())

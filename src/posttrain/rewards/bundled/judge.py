"""A score from a language model behind an endpoint (judges/scoring.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.errors import ConfigError
from posttrain.judges.asking import client
from posttrain.judges.scoring import QUESTION, Verdict, grade


def judge(
    prompts: list[str],
    completions: list[str],
    answer: list[str | int | float | None] | None = None,
    *,
    endpoint: Mapping[str, Any],
    question: str = QUESTION,
    low: int = 1,
    high: int = 10,
    judgements: int = 1,
    folder: str | None = None,
) -> list[Verdict]:
    """Mean score of an answer, from 0 to 1. The judge sees the column `answer` as a reference.

    Abstains where the model refuses. A reply that is not a score is an error.

    Settings:
        endpoint: options of the judge's endpoint: the key `model`, and any other key of endpoint/endpoint.py.
        question: instructions to the judge; any text.
        low: worst score that the judge may give; any whole number below `high`.
        high: best score that the judge may give; any whole number above `low`.
        judgements: replies that are averaged; at least 1.
        folder: folder that keeps replies and what was spent; null keeps nothing, a run gives its own.
    """
    if not low < high or judgements < 1:
        raise ConfigError(f"low={low}, high={high}, judgements={judgements}; low is below high, judgements at least 1")
    references = [None if a is None else str(a) for a in answer or [None] * len(completions)]
    asked = list(zip(prompts, completions, references, strict=True))
    return grade(client(endpoint, folder), question, asked, low=low, high=high, judgements=judgements)

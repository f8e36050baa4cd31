"""Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena (Zheng et al., 2023): single-answer grading.

r(y) = mean over the judgements of (s - low) / (high - low)
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from posttrain.endpoint.client import Client
from posttrain.endpoint.failure import ReplyError
from posttrain.endpoint.form import Form, Number, Text, fill_in
from posttrain.judges.asking import Filled, body

QUESTION = (
    "Judge how good the answer to the question is: helpful, relevant, accurate, deep enough and clear. "
    "Length is no merit."
)
_FORM = (
    "First give a short reason, then the score, a whole number from {low} (worst) to {high} (best): "
    '{{"reason": "...", "score": ...}}'
)
_REFERENCE = "A correct answer is shown as <reference>."

Verdict = float | ReplyError | None


def grade(
    client: Client,
    question: str,
    asked: Sequence[tuple[str, str, str | None]],
    *,
    low: int,
    high: int,
    judgements: int,
) -> list[Verdict]:
    """Return a score in [0, 1] for each (prompt, answer, reference). None where the judge refuses."""
    form = Form("verdict", {"reason": Text(), "score": Number(low, high)})
    requests = []
    for prompt, answer, reference in asked:
        shown = {"question": prompt, "answer": answer} | ({} if reference is None else {"reference": reference})
        parts = [question, *([] if reference is None else [_REFERENCE]), _FORM.format(low=low, high=high)]
        requests += [body("\n".join(parts), shown, seed) for seed in range(judgements)]
    filled = fill_in(client, form, requests)
    return [_mean(filled[k : k + judgements], low, high) for k in range(0, len(filled), judgements)]


def _mean(filled: Sequence[Filled], low: int, high: int) -> Verdict:
    """Average the judgements. One that failed fails the answer; one that was refused is left out."""
    if failed := [f for f in filled if isinstance(f, ReplyError)]:
        return failed[0]
    scores = [f["score"] for f in filled if isinstance(f, dict)]
    return (fmean(scores) - low) / (high - low) if scores else None

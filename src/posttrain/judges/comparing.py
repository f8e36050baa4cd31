"""Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena (Zheng et al., 2023): pairwise comparison, both orders.

    P(a ≻ b) = 1 if a is preferred in both orders, 0 if b is, 1/2 otherwise

Judges prefer a position, most often the first. Asked in both orders, such a judge contradicts itself. That counts as a
tie (or an abstention), never as a win, and lowers the reported agreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from posttrain.endpoint.client import Client
from posttrain.endpoint.failure import ReplyError
from posttrain.endpoint.form import Form, Text, Word, fill_in
from posttrain.judges.asking import Filled, body

QUESTION = (
    "Compare two answers to a question: which one is more helpful, relevant, accurate and clear? Length is no merit, "
    "and neither is the order in which they are shown."
)
_SHAPE = (
    'First give a short reason, then name the better answer, or tie: {"reason": "...", "better": "A" or "B" or "tie"}'
)
_FORM = Form("comparison", {"reason": Text(), "better": Word(("A", "B", "tie"))})
_SWAPPED = {"A": "B", "B": "A", "tie": "tie"}
_WIN = {"A": 1.0, "B": 0.0, "tie": 0.5}

Disagreement = Literal["tie", "abstain"]


@dataclass(frozen=True)
class Comparison:
    """`win`: probability that the first answer is better; `agreed`: whether both orders gave the same result."""

    win: float | ReplyError | None
    agreed: bool | None = None  # None if the judge was not asked, or did not answer


def compare(
    client: Client, question: str, asked: Sequence[tuple[str, str, str]], *, disagreement: Disagreement = "tie"
) -> list[Comparison]:
    """Compare the answers of each (prompt, a, b) in both orders. Equal answers tie without a request."""
    differ = [k for k, (_, a, b) in enumerate(asked) if a != b]
    requests = []
    for k in differ:
        prompt, a, b = asked[k]
        for first, second in ((a, b), (b, a)):
            shown = {"question": prompt, "answer_A": first, "answer_B": second}
            requests.append(body(f"{question}\n{_SHAPE}", shown))
    filled = fill_in(client, _FORM, requests)
    comparisons = [Comparison(0.5)] * len(asked)
    for n, k in enumerate(differ):
        comparisons[k] = _comparison(filled[2 * n], filled[2 * n + 1], disagreement)
    return comparisons


def _comparison(one: Filled, other: Filled, disagreement: Disagreement) -> Comparison:
    for filled in (one, other):
        if isinstance(filled, ReplyError):
            return Comparison(filled)
    if not isinstance(one, dict) or not isinstance(other, dict):
        return Comparison(None)
    if one["better"] == _SWAPPED[other["better"]]:
        return Comparison(_WIN[one["better"]], agreed=True)
    return Comparison(0.5 if disagreement == "tie" else None, agreed=False)

"""Beyond Sparse Rewards: Enhancing Reinforcement Learning with Language Model Critique (Cao et al., 2024).

RELC: a critic quotes the parts of an answer that are good and those that are bad.

    r_in(t) = Σ_quotes [t ends the quote] (1 where it is good, -1 where it is bad)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from posttrain.endpoint.client import Client
from posttrain.endpoint.failure import ReplyError
from posttrain.endpoint.form import Form, Text, Texts, fill_in
from posttrain.judges.asking import body

QUESTION = (
    "Which parts of the answer make it a good answer to the question, and which make it worse? Quote them word by "
    "word, each as short as it can be; quote nothing where nothing stands out."
)
_SHAPE = 'First give a short reason: {"reason": "...", "good": ["quote", ...], "bad": ["quote", ...]}'
_FORM = Form("critique", {"reason": Text(), "good": Texts(), "bad": Texts()})

Part = tuple[int, int, bool]  # start, end, whether it is good


@dataclass(frozen=True)
class Critique:
    """The parts of one answer that the critic quoted, and the number of quotes that are not in it."""

    parts: tuple[Part, ...]
    missed: int


def critique(client: Client, question: str, asked: Sequence[tuple[str, str]]) -> list[Critique | ReplyError | None]:
    """Have each (prompt, answer) criticised. None where the critic refuses."""
    requests = [body(f"{question}\n{_SHAPE}", {"question": p, "answer": a}) for p, a in asked]
    filled = fill_in(client, _FORM, requests)
    return [located(f, a) if isinstance(f, Mapping) else f for f, (_, a) in zip(filled, asked, strict=True)]


def located(quotes: Mapping[str, Any], answer: str) -> Critique:
    """Find quotes in the answer: a quote that is given twice is the next place where it stands."""
    parts: list[Part] = []
    after: dict[str, int] = {}
    missed = 0
    for kind in ("good", "bad"):
        for quote in filter(str.strip, quotes[kind]):
            start = answer.find(quote, after.get(quote, 0))
            if start < 0:
                missed += 1
                continue
            after[quote] = start + len(quote)
            parts.append((start, start + len(quote), kind == "good"))
    return Critique(tuple(parts), missed)

"""Judging by the probabilities of options, for any model that can choose between them.

    P(a ≻ b) = ½ [P(A | a, b) + P(B | b, a)]        r(y) = Σ_i i P(i) / Σ_i P(i),    i = low .. high

Both orders are asked, so that a preference for a position cancels: exchanging the answers gives exactly 1 - P. After
Lee et al. (2023) and Liu et al. (G-Eval, 2023).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

OPTIONS = ("A", "B")
COMPARE = (
    "Which answer to the question is more helpful, relevant, accurate and clear? Length is no merit. {principle}\n"
    "<question>\n{prompt}\n</question>\n<answer_A>\n{first}\n</answer_A>\n<answer_B>\n{second}\n</answer_B>\n"
    "Reply with A or B alone."
)
RATE = (
    "How good is the answer to the question: helpful, relevant, accurate and clear? Length is no merit.\n"
    "<question>\n{prompt}\n</question>\n<answer>\n{answer}\n</answer>\n"
    "Reply with a number from {low} (worst) to {high} (best) alone."
)


def filled(template: str, **texts: object) -> str:
    """Return the template with {name} replaced by texts. Other braces stay.

    Texts are escaped as XML and filled in at once, so that none can close a tag or name a place of another.
    """
    names = "|".join(map(re.escape, texts))
    return re.sub(rf"\{{({names})\}}", lambda match: escape(str(texts[match[1]]), quote=False), template)


def in_both_orders(template: str, prompt: str, one: str, other: str, **texts: str) -> list[str]:
    """Return the two requests to compare answers: as they are, and exchanged."""
    return [
        filled(template, prompt=prompt, first=first, second=second, **{"principle": "", **texts})
        for first, second in ((one, other), (other, one))
    ]


def preference(straight: Sequence[float], exchanged: Sequence[float]) -> float:
    """Compute P(a ≻ b) from the probabilities of the options A and B in both orders."""
    return (straight[0] + exchanged[1]) / 2


def expected(probabilities: Mapping[float, float]) -> float:
    """Compute the mean of the ratings under their probabilities, which need not sum to 1."""
    return sum(i * p for i, p in probabilities.items()) / sum(probabilities.values())


def centred(rating: float, low: float, high: float) -> float:
    """Compute 2 (r - low)/(high - low) - 1, from -1 to 1; equally probable ratings give 0."""
    return 2 * (rating - low) / (high - low) - 1

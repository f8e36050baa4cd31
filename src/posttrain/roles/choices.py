"""How likely a model finds candidate texts as the beginning of its reply."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from posttrain.turns import words

Normalisation = Literal["sum", "token", "word"]


@dataclass(frozen=True)
class Choices:
    """Candidates behind one prompt, and log p(token | prompt, tokens before it) of each token of each candidate.

    The tokens of a candidate are those of prompt and candidate encoded together, without those of the prompt; one that
    would straddle the boundary is cut there, because the model reads the prompt alone. No end of the turn is counted.
    """

    candidates: tuple[str, ...]
    logp: tuple[tuple[float, ...], ...]

    def scores(self, by: Normalisation = "sum") -> list[float]:
        """log p(candidate | prompt), or its mean over the tokens or over the words of each candidate."""
        sums = [math.fsum(own) for own in self.logp]
        return [x / n for x, n in zip(sums, self._lengths(by), strict=True)]

    def probabilities(self, by: Normalisation = "sum") -> list[float]:
        """The softmax of the scores: what a policy over these candidates takes each with."""
        return softmax(self.scores(by))

    def _lengths(self, by: Normalisation) -> list[int]:
        if by == "token":
            return [len(own) for own in self.logp]
        return [words(text) if by == "word" else 1 for text in self.candidates]


def softmax(scores: Sequence[float]) -> list[float]:
    """exp(s_i) / Σ_j exp(s_j)."""
    highest = max(scores)
    weights = [math.exp(s - highest) for s in scores]
    total = math.fsum(weights)
    return [w / total for w in weights]

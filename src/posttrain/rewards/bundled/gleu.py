"""Google's Neural Machine Translation System: Bridging the Gap between Human and Machine Translation (Wu et al., 2016).

GLEU: n-gram overlap with a reference that, unlike BLEU, is made for single sentences.

    GLEU(y, y*) = M / max(n-grams of y, n-grams of y*) = min(precision, recall)

M is the number of n-grams of 1 to 4 words that both texts have.
"""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.rewards.ngrams import Words, against, ngrams
from posttrain.rewards.verdicts import Spans

LONGEST = 4  # words of an n-gram


def gleu(
    completions: list[str], reference: list[str | Sequence[str] | None], *, dense: bool = False
) -> list[float | Spans | None]:
    """Overlap with the column `reference` (a text, or a list of several: the best counts), from 0 to 1.

    Abstains where it is None. Words are what white space separates.

    Settings:
        dense: whether each word gets what it adds to the score of the words before it; false, the score of the answer.
    """
    return [against(_gleu, text, gold, dense=dense) for text, gold in zip(completions, reference, strict=True)]


def _gleu(words: Words, gold: Words) -> float:
    own, wanted = ngrams(words, LONGEST), ngrams(gold, LONGEST)
    return (own & wanted).total() / max(own.total(), wanted.total(), 1)

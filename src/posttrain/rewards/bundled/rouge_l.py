"""ROUGE: A Package for Automatic Evaluation of Summaries (Lin, 2004): ROUGE-L of a sentence.

    F = 2 P R / (P + R),    P = LCS(y, y*) / |y|,   R = LCS(y, y*) / |y*|

LCS is the number of words in the longest sequence that both texts have in this order.
"""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.rewards.ngrams import Words, against
from posttrain.rewards.verdicts import Spans


def rouge_l(
    completions: list[str], reference: list[str | Sequence[str] | None], *, dense: bool = False
) -> list[float | Spans | None]:
    """F-score against the column `reference` (a text, or a list of several: the best counts), from 0 to 1.

    Abstains where it is None. Words are what white space separates; upper and lower case differ.

    Settings:
        dense: whether each word gets what it adds to the score of the words before it; false, the score of the answer.
    """
    return [against(_rouge_l, text, gold, dense=dense) for text, gold in zip(completions, reference, strict=True)]


def _rouge_l(words: Words, gold: Words) -> float:
    return 2 * _common(words, gold) / max(len(words) + len(gold), 1)


def _common(a: Words, b: Words) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        above = row
        row = [0]
        for j, y in enumerate(b, 1):
            row.append(above[j - 1] + 1 if x == y else max(above[j], row[j - 1]))
    return row[-1]

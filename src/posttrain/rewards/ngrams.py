"""N-grams of a text's words, which the rewards against a reference count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from posttrain.rewards.verdicts import Spans

Words = Sequence[str]
Metric = Callable[[Words, Words], float]  # (words of the answer, words of the reference) -> score


def ngrams(words: Words, most: int) -> Counter[tuple[str, ...]]:
    """Count the n-grams of 1 to `most` words."""
    return Counter(tuple(words[i : i + n]) for n in range(1, most + 1) for i in range(len(words) - n + 1))


def against(metric: Metric, text: str, reference: str | Sequence[str] | None, *, dense: bool) -> float | Spans | None:
    """Score a text against the best of its references; None where there is none.

    `dense`: as Spans, with what each word adds to the score.
    """
    if reference is None:
        return None
    golds = [gold.split() for gold in ([reference] if isinstance(reference, str) else reference)]

    def best(words: Words) -> float:
        return max(metric(words, gold) for gold in golds)

    return Spans(increments(best, text)) if dense else best(text.split())


def increments(score: Callable[[Words], float], text: str) -> list[tuple[int, int, float]]:
    """What each word of a text adds to the score of what stands before it: spans whose values add up to the score."""
    words, spans, end, before = text.split(), [], 0, score([])
    for n, word in enumerate(words, 1):
        start = text.index(word, end)
        end = start + len(word)
        value = score(words[:n])
        spans.append((start, end, value - before))
        before = value
    return spans

"""Whether the last words of an episode are the answer that was asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from posttrain.rewards.final_answer import final, number

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def right(text: str, gold: str | int | float | Sequence[str]) -> bool:
    """Whether the final answer of a text is a gold answer, or one of several.

    The final answer is what the text marks as such (rewards/final_answer.py), else its last line. Numbers are compared
    as numbers, words without capitals, articles and punctuation (exact match, as in SQuAD).
    """
    golds = [gold] if isinstance(gold, str | int | float) else gold
    text = text.rpartition("</think>")[2].strip()
    said = [final(part) for part in (text, *text.splitlines()[-1:])]
    return any(_same(answer, str(each)) for answer in said for each in golds)


def _same(answer: str, gold: str) -> bool:
    wanted = None if re.search(r"[^\W\d_]", gold) else number(gold)
    if wanted is not None:
        return number(answer) == wanted
    return _plain(answer) == _plain(gold) != ""


def _plain(answer: str) -> str:
    words = re.sub(r"[^\w\s]", " ", answer.casefold())
    return " ".join(_ARTICLES.sub(" ", words).split())

"""Whether the last words of an episode are the answer that was asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from posttrain.rewards.final_answer import last_number, marked, number

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def right(text: str, gold: str | int | float | Sequence[str]) -> bool:
    """Whether the final answer of a text is a gold answer, or one of several.

    The final answer is what the text marks as such (rewards/final_answer.py), else its last number where a number is
    wanted, and its last line where words are. Numbers are compared as numbers, words without capitals, articles and
    punctuation (exact match, as in SQuAD).
    """
    golds = [gold] if isinstance(gold, str | int | float) else gold
    said = text.rpartition("</think>")[2].strip()
    return any(_same(said, str(each)) for each in golds)


def _same(said: str, gold: str) -> bool:
    claimed = marked(said)
    wanted = None if re.search(r"[^\W\d_]", gold) else number(gold)
    if wanted is not None:
        return (last_number(said) if claimed is None else number(claimed)) == wanted
    last = said.splitlines()[-1:]
    return _plain(gold) != "" and _plain(gold) in {_plain(said), *map(_plain, last), _plain(claimed or "")}


def _plain(answer: str) -> str:
    words = re.sub(r"[^\w\s]", " ", answer.casefold())
    return " ".join(_ARTICLES.sub(" ", words).split())

"""Where the phrases of an answer end, for methods whose actions are phrases (online/ma_rlhf_phrases); its weight is 0.

A phrase ends behind punctuation, at the end of a line, and after some words. That is no syntax: a function of yours
that asks a parser gives `Spans` of its constituents in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from posttrain.rewards.verdicts import Spans

WORD = re.compile(r"\S+")
ENDS = ".,;:!?"
CLOSES = "\"')]}"


def phrases(completions: Sequence[str], *, longest: int = 5) -> list[Spans]:
    """Give 1 to each phrase of an answer.

    Settings:
        longest: words after which a phrase ends in any case; at least 1, 5 in the paper.
    """
    return [Spans((start, end, 1.0) for start, end in _phrases(text, longest)) for text in completions]


def _phrases(text: str, longest: int) -> list[tuple[int, int]]:
    """Start and end of each phrase, in characters."""
    found, start, words = [], 0, 0
    for word in WORD.finditer(text):
        words += 1
        ends = word[0].rstrip(CLOSES).endswith(tuple(ENDS)) or text[word.end() :].lstrip(" \t").startswith("\n")
        if ends or words == longest:
            found.append((start, word.end()))
            start, words = word.end(), 0
    return found + ([(start, len(text))] if words else [])

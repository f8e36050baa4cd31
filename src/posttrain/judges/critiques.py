"""Critiques of answers: how they are asked for, what score they hold, and how a reward model reads them."""

from __future__ import annotations

import re

REQUEST = (
    "Criticise the answer to the question: does it follow the question, is it right, is it clear? End with a score "
    'from 1 to 10, as "Score: <number>".\n<question>\n{prompt}\n</question>\n<answer>\n{answer}\n</answer>'
)
PATTERN = r"[Ss]core: *([0-9]+)"


def with_critique(answer: str, critique: str) -> str:
    """Return an answer with its critique behind it; with an empty critique the answer alone."""
    return f"{answer}\n{critique}" if critique else answer


def stated(critique: str, pattern: str = PATTERN) -> float | None:
    """Return the last score that a critique states, None where it states none."""
    found = re.findall(pattern, critique)
    return float(found[-1]) if found else None

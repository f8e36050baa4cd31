"""Which of two answers is right? A preference, for the methods that compare an answer with an opponent's."""

from __future__ import annotations

from posttrain.rewards.bundled.math_answer import math_answer as grade


def right(
    prompts: list[str],
    completions: list[str],
    answer: list[str | int | float | None],
    opponent: list[str] | None = None,
) -> list[float | None]:
    """1 if only this answer is right, 0 if only the other is, 1/2 otherwise. Without an opponent the plain grade."""
    own = grade(prompts, completions, answer)
    if opponent is None:
        return own
    pairs = zip(own, grade(prompts, opponent, answer), strict=True)
    return [None if a is None or b is None else 0.5 + (a - b) / 2 for a, b in pairs]

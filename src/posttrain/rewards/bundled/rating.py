"""RLAIF vs. RLHF: Scaling Reinforcement Learning from Human Feedback with AI Feedback (Lee et al., 2023): d-RLAIF.

The reward is the expected rating of a language model, by the probabilities that it gives to the ratings. No reward
model is trained, so none grows stale.

    r(y) = 2 (s - low)/(high - low) - 1,    s = Σ_i i P(i | x, y) / Σ_i P(i | x, y)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from posttrain.errors import ConfigError
from posttrain.judges.options import RATE, centred, expected, filled

if TYPE_CHECKING:
    from posttrain.roles.protocol import TextRole


def rating(
    prompts: list[str],
    completions: list[str],
    *,
    model: TextRole,
    question: str = RATE,
    low: int = 1,
    high: int = 9,
) -> list[float]:
    """The expected rating of an answer, from -1 to 1.

    Settings:
        model: path of a language model; a mapping of the keys of `models`; or the name of one of `models`.
        question: request for a rating; any text, where {prompt}, {answer}, {low} and {high} are filled in.
        low: worst rating; a digit from 0 to below `high`.
        high: best rating; a digit, so that its first token tells it from all others: 9, where the paper has 10.
    """
    if not 0 <= low < high <= 9:
        raise ConfigError(f"low={low}, high={high}; ratings are digits, and low is below high")
    asked = [
        ({"role": "user", "content": filled(question, prompt=x, answer=y, low=low, high=high)},)
        for x, y in zip(prompts, completions, strict=True)
    ]
    ratings = range(low, high + 1)
    chosen = model.choose(asked, [str(i) for i in ratings])
    return [centred(expected(dict(zip(ratings, p, strict=True))), low, high) for p in chosen]

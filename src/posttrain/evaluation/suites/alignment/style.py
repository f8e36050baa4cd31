"""How a model writes: length, repetition, lists, headings, hedges and more, on questions without a right answer.

`posttrain eval TRAINED --suite style --against BEFORE` shows how length and style drifted, question by question.
"""

from __future__ import annotations

from collections.abc import Callable

from posttrain.evaluation.metrics.style import FEATURES
from posttrain.evaluation.suite import Metric, Suite
from posttrain.evaluation.suites.open_ended import open_prompts


def style(*, data: str | None = None, size: int = 48, temperature: float = 0.0, max_tokens: int = 128) -> Suite:
    """Build the suite.

    Settings:
        data: prompts, a file, hub id or generator; null asks bundled questions without a right answer.
        size: number of questions; at least 1.
        temperature: of the answers, 0 to about 1; 0 is greedy.
        max_tokens: longest answer in tokens; at least 1.
    """
    return Suite(
        open_prompts(data, size),
        {name: of_text(feature) for name, feature in FEATURES.items()},
        temperature=temperature,
        max_tokens=max_tokens,
    )


def of_text(feature: Callable[[str], float | None]) -> Metric:
    """Read the reply of an item."""
    return lambda item: feature(item.text)

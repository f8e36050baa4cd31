"""Understanding the Effects of RLHF on LLM Generalisation and Diversity (Kirk et al., 2023); Creativity Has Left the
Chat: The Price of Debiasing Language Models (Mohammadi, 2024).

Several answers to each of several questions: how much they differ for the same question and between questions, how many
clusters they form, and the entropy of their tokens at the temperature that they are sampled with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from posttrain.evaluation.metrics import clusters as of_clusters
from posttrain.evaluation.metrics.diversity import (
    across_inputs,
    cosine_diversity,
    distinct,
    expectation_adjusted_distinct,
    letters,
)
from posttrain.evaluation.suite import Item, Suite, Whole
from posttrain.evaluation.suites.open_ended import open_prompts

Texts = Sequence[str]
Measure = Callable[[Texts], float | None]


def diversity(
    *,
    data: str | None = None,
    size: int = 16,
    samples: int = 8,
    temperature: float = 1.0,
    max_tokens: int = 48,
    threshold: float = of_clusters.THRESHOLD,
) -> Suite:
    """Build the suite.

    Settings:
        data: prompts, a file, hub id or generator; null asks bundled questions without a right answer.
        size: number of questions; at least 2.
        samples: answers to each; at least 2, the paper has 16.
        temperature: of the answers, and of the entropy; above 0, 1 is usual.
        max_tokens: longest answer in tokens; at least 1.
        threshold: cosine from which two answers are in one cluster; 0.5 to 0.95.
    """
    measures: dict[str, Measure] = {
        "distinct": distinct,
        "ead": expectation_adjusted_distinct,
        "letters": lambda texts: cosine_diversity([letters(t) for t in texts]),
    }
    within: dict[str, Whole] = {f"{name}_per_input": texts_of(m) for name, m in measures.items()}
    within["clusters"] = texts_of(lambda texts: len(of_clusters.clusters([letters(t) for t in texts], threshold)))
    within["largest_cluster"] = texts_of(
        lambda texts: of_clusters.largest_share([letters(t) for t in texts], threshold)
    )
    return Suite(
        open_prompts(data, size),
        {"entropy": lambda item: of_clusters.entropy(item.replies[-1].logp)},
        within,
        {f"{name}_across_inputs": across(m) for name, m in measures.items()},
        samples=samples,
        temperature=temperature,
        max_tokens=max_tokens,
    )


def texts_of(measure: Measure) -> Whole:
    """Read the answers to one question."""
    return lambda items: measure([item.text for item in items])


def across(measure: Measure) -> Whole:
    """Read the first answer to each question."""

    def of_all(items: Sequence[Item]) -> float | None:
        return across_inputs(measure, [[item.text] for item in items if item.sample == 0])

    return of_all

"""A Call for Clarity in Reporting BLEU Scores (Post, 2018); ROUGE: A Package for Automatic Evaluation of Summaries
(Lin, 2004): how near answers are to reference texts.

BLEU and chrF of sentences are sacrebleu's, ROUGE-L the F-score of the longest common subsequence of words; all from 0
to 1. The extra `translation` installs sacrebleu.
"""

from __future__ import annotations

from typing import Literal

from posttrain.evaluation.suite import Item, Metric, Suite
from posttrain.evaluation.suites.prompts import questions
from posttrain.rewards.bundled.rouge_l import rouge_l
from posttrain.rewards.bundled.translation import translation


def references(*, data: str, size: int = 100, max_tokens: int = 128) -> Suite:
    """Build the suite.

    Settings:
        data: prompts with a column `reference`, a text or a list of several; any file or hub id.
        size: number of prompts; at least 1.
        max_tokens: longest answer in tokens; at least 1.
    """
    return Suite(
        questions(data, size, "reference"),
        {"bleu": sacre("bleu"), "chrf": sacre("chrf"), "rouge_l": longest_common},
        max_tokens=max_tokens,
    )


def sacre(metric: Literal["bleu", "chrf"]) -> Metric:
    """Return a metric of sacrebleu."""
    return lambda item: translation([item.text], [item["reference"]], metric=metric)[0]


def longest_common(item: Item) -> float | None:
    """Return ROUGE-L."""
    found = rouge_l([item.text], [item["reference"]])[0]
    return found if isinstance(found, float) else None

"""`scoring`: how reward functions are run and combined."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from posttrain.config.section import Section
from posttrain.config.sections.rewards import CombineRef, TransformRef, one_or_more
from posttrain.config.types import Count, Positive, Share, Whole


class Scoring(Section):
    """The worker processes that run reward functions, and what is made of their scores."""

    workers: Whole = 2
    """Number of worker processes; the result does not depend on it. 0 runs everything in the process of the trainer."""
    timeout: Positive = 10.0
    """Time limit of one call of a reward function in seconds; a call that takes longer counts as failed."""
    max_error_rate: Share = 0.05
    """Fraction of a batch that may fail to be scored; a larger one stops the run."""
    combine: CombineRef = Field(default_factory=lambda: CombineRef(path="weighted_sum"))
    """How the rewards of an answer become one in training: weighted_sum, mean, worst, uncertainty_weighted, gate,
    first, or `./mine.py:function`."""
    transform: tuple[TransformRef, ...] = ()
    """What the combined reward passes through before it is trained on."""
    baseline: Count = 5
    """Answers to each prompt that are sampled and scored before the first step, where a transform compares with them;
    5 is usual."""

    @classmethod
    def expand(cls, value: Any) -> Any:
        return one_or_more(value, "transform")

"""`evaluate`: held-out prompts, answered during the run."""

from __future__ import annotations

from posttrain.config.section import Section
from posttrain.config.sections.data import Data
from posttrain.config.types import Count, NotNegative


class Evaluate(Section):
    """Held-out prompts that are answered and scored during the run, and never trained on."""

    data: Data
    """Source of the held-out prompts."""
    every: Count | None = None
    """Steps between evaluations; null evaluates before and after training only."""
    samples: Count = 1
    """Answers sampled per prompt; the score of a prompt is their mean reward."""
    temperature: NotNegative = 0.0
    """Sampling temperature, 0 to about 1.5; 0 decodes greedily."""
    max_tokens: Count | None = None
    """Maximum length of an answer in tokens; null takes `sampling.max_tokens`."""

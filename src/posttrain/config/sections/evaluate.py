"""`evaluate`: held-out data that a run is measured on."""

from __future__ import annotations

from pydantic import model_validator

from posttrain.config.section import Section
from posttrain.config.sections.data import Data
from posttrain.config.types import Count, NotNegative


class Evaluate(Section):
    """Held-out data that the run is measured on before, during and after training, and never trained on."""

    data: Data | None = None
    """Held-out prompts, answered and scored with `rewards` or the reward model; in a run of an offline method without
    rewards, held-out records of the method's own kind instead, as `records`."""
    records: Data | None = None
    """Held-out records of the method's own kind (demonstrations, pairs, ...), measured by its loss and metrics; needed
    only beside held-out prompts."""
    every: Count | None = None
    """Steps between evaluations; null evaluates before and after training only."""
    samples: Count = 1
    """Answers sampled per prompt; the score of a prompt is their mean reward."""
    temperature: NotNegative = 0.0
    """Sampling temperature, 0 to about 1.5; 0 decodes greedily."""
    max_tokens: Count | None = None
    """Maximum length of an answer in tokens; null takes `sampling.max_tokens`."""

    @model_validator(mode="after")
    def _some_data(self) -> Evaluate:
        if self.data is None and self.records is None:
            raise ValueError("there is nothing to evaluate on; give data: FILE")
        return self

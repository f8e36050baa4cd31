"""`evaluate`: held-out data that a run is measured on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from posttrain.config.code import Code
from posttrain.config.section import Section
from posttrain.config.sections.data import Data
from posttrain.config.types import Count, NotNegative


class SuiteRef(Code):
    """A suite and its settings."""

    noun: ClassVar[str] = "suite"

    name: str | None = Field(default=None, min_length=1, pattern=r"^[\w-]+$")
    """Name of its numbers, as in `name.accuracy`; null takes the end of its path."""


class Evaluate(Section):
    """Held-out data that the run is measured on before, during and after training, and never trained on."""

    data: Data | None = None
    """Held-out prompts, answered and scored with `rewards` or the reward model; in a run of an offline method without
    rewards, held-out records of the method's own kind instead, as `records`."""
    records: Data | None = None
    """Held-out records of the method's own kind (demonstrations, pairs, ...), measured by its loss and metrics; needed
    only beside held-out prompts."""
    suites: tuple[SuiteRef, ...] = ()
    """Suites that the model is measured on as well, each a name (diversity, style, ...) or ./file.py with its
    settings; their numbers are called `suite.metric`."""
    every: Count | None = None
    """Steps between evaluations; null evaluates before and after training only."""
    best: str | None = Field(default=None, min_length=1)
    """Metric of the evaluations (reward, loss, rewards/accuracies, ...) whose best step becomes `final`, at the cost of
    one more copy of the model in memory; null keeps the last step."""
    mode: Literal["min", "max"] | None = None
    """Whether `best` is the lowest or the highest value; null takes the lowest of losses, perplexities and KLs, else
    the highest."""
    patience: Count | None = None
    """Evaluations in a row without a new `best` that end the training, 3 to 10 is usual; null waits for ever."""
    samples: Count = 1
    """Answers sampled per prompt; the score of a prompt is their mean reward."""
    temperature: NotNegative = 0.0
    """Sampling temperature, 0 to about 1.5; 0 decodes greedily."""
    max_tokens: Count | None = None
    """Maximum length of an answer in tokens; null takes `sampling.max_tokens`."""

    @classmethod
    def expand(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {"suites": value}
        if isinstance(value, Mapping) and isinstance(value.get("suites"), str | Mapping):
            return {**value, "suites": [value["suites"]]}
        return value

    @field_validator("suites")
    @classmethod
    def _named_apart(cls, suites: tuple[SuiteRef, ...]) -> tuple[SuiteRef, ...]:
        if twice := next((n for n, k in Counter(s.name or Path(s.path).stem for s in suites).items() if k > 1), None):
            raise ValueError(f"two suites are called {twice}; give one of them another name: {{path: ..., name: ...}}")
        return suites

    @model_validator(mode="after")
    def _some_data(self) -> Evaluate:
        if self.data is None and self.records is None and not self.suites:
            raise ValueError("there is nothing to evaluate on; give data: FILE, or suites: [NAME]")
        if self.best is None and (self.patience or self.mode):
            raise ValueError("patience and mode are of the metric `best`, which is not given; add best: loss")
        if self.best is not None and self.every is None:
            raise ValueError("best needs evaluations during the training; add every: N")
        return self

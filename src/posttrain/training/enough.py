"""Whether there are enough records and answers for what a method compares with each other."""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.core.method import Method, Sampling
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError, DataError


def check_batch_size(method: Method, prompts_per_step: int) -> None:
    """Raise ConfigError for batches of fewer records than the method compares."""
    if prompts_per_step < method.least_records:
        raise ConfigError(
            f"train.prompts_per_step={prompts_per_step}: {method.name} compares the records of a batch with each "
            f"other, so it needs at least {method.least_records}: train.prompts_per_step={method.least_records}"
        )


def check_records(method: Method, records: Dataset) -> None:
    """Raise DataError for fewer records than the method compares."""
    if len(records) < method.least_records:
        raise DataError(
            f"{records.name}: {method.name} compares the records of a batch with each other, so it needs at least "
            f"{method.least_records} of them, and there is {len(records)}"
        )


def check_window(records: Dataset, prompts_per_step: int) -> None:
    """Raise ConfigError for a window of a stream that is smaller than a batch, which never spans two windows."""
    if records.windows and records.windows.size < prompts_per_step:
        raise ConfigError(
            f"{records.name}: a batch never spans two windows, so data.window={records.windows.size} must be at least "
            f"train.prompts_per_step={prompts_per_step}"
        )


def check_answers(method: Method, authors: Sequence[Sampling]) -> None:
    """Raise ConfigError for fewer answers to a prompt than the method compares."""
    answers = sum(author.samples for author in authors if author.train)
    if authors and answers < method.least_answers:
        raise ConfigError(
            f"sampling.samples={answers}: {method.name} compares the answers to a prompt with each other, so it needs "
            f"at least {method.least_answers}; one answer alone teaches nothing"
        )

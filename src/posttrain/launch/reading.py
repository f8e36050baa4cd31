"""Reads the data of a run file before a model is loaded, so that a wrong column costs a second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from posttrain.core.kinds import kinds
from posttrain.core.method import MAIN, Method
from posttrain.data.dataset import Reads
from posttrain.errors import DataError
from posttrain.launch.checks import method_of
from posttrain.rewards.reward import Reward, check_columns
from posttrain.training.columns_read import by_method, by_rewards, columns_of
from posttrain.training.datasets import Datasets
from posttrain.training.environments import tasks_of
from posttrain.training.held_out import sources
from posttrain.training.named_rewards import named_rewards

if TYPE_CHECKING:
    from posttrain.config.schema import Data, RunFile

Read = tuple[str, "Data", str, Reads | None]  # name, source, kind of its records, and which columns something reads


RECORDS = "evaluate.records"


def to_read(run: RunFile, method: Method | None) -> Iterator[Read]:
    """Yield what a run of a method, or of its procedure, trains on."""
    for name, source in run.data.items():
        if method is None:
            yield name, source, name if name in kinds() else "prompts", None
        elif name in method.streams:
            kind = method.streams[name].kind
            yield name, source, kind.name, None if kind.sampled else by_method(method)


def read_before_loading(run: RunFile, functions: Sequence[Reward] = ()) -> Datasets:
    """Read all data. Raises DataError for rows that cannot be read, and for columns that a reward needs.

    `functions` are rewards besides those that the run file names.
    """
    datasets = Datasets(run.given, partial(tasks_of, run))
    method = method_of(run) if run.method else None
    rewards = (*named_rewards(run), *functions)
    for name, source, kind, reads in [*to_read(run, method), *held_out(run, method, scored=bool(rewards))]:
        scored = kind == "prompts" and method is not None
        reads = None if run.environment else reads
        try:
            chosen = scored and run.environment is None  # which may read any column
            dataset = datasets.read(source, kind, by_rewards(rewards, method) if chosen else reads)
        except DataError as error:
            if name != RECORDS or method is None:
                raise
            raise DataError(
                f"{error}\nevaluate: held-out records are of the kind that {method.name} learns from; for held-out "
                "prompts that are answered and scored, add rewards: [...]"
            ) from error
        if scored:
            check_columns(rewards, {*columns_of(dataset), *_answered(method)}, source.name)
    return datasets


def _answered(method: Method | None) -> tuple[str, ...]:
    """The columns that other answers to a prompt bring: `opponent` where several authors answer it."""
    several = method is not None and any(len(stream.sampling) > 1 for stream in method.streams.values())
    return ("opponent",) if several else ()


def held_out(run: RunFile, method: Method | None, *, scored: bool) -> Iterator[Read]:
    """Yield what a run is measured on. `scored`: it has reward functions."""
    if run.evaluate is None:
        return
    prompts, records = sources(run.evaluate, method, scored=scored)
    if prompts is not None:
        yield "evaluate.data", prompts, "prompts", None
    if records is not None and method is not None:
        yield RECORDS, records, method.streams[MAIN].kind.name, None

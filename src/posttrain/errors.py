"""What can go wrong, by whose hand, and the exit code that says so. Every message names what, where and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PosttrainError(Exception):
    """Base of all errors that are meant for the user; the command line prints them without a traceback."""

    exit_code = 1


class ConfigError(PosttrainError):
    """A run file, an override, a method or an option that cannot be right."""

    exit_code = 2


class DataError(PosttrainError):
    """A record that cannot be used; names file, line and column."""

    exit_code = 3


class ModelError(PosttrainError):
    """A model, tokenizer or chat template that is missing or does not fit."""

    exit_code = 4


class NumericsError(PosttrainError):
    """A loss, gradient or tensor that is not finite."""

    exit_code = 5


class RewardError(PosttrainError):
    """A reward, judge or verifier that failed. A failure is never a score."""

    exit_code = 6


class WorkerError(PosttrainError):
    """A worker process that was lost."""

    exit_code = 7


class StorageError(PosttrainError):
    """A run directory or checkpoint that cannot be written or trusted."""

    exit_code = 8


class MissingExtraError(ConfigError):
    """An optional dependency that this feature needs is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional dependency: pip install 'posttrain[{extra}]'")


def suggestion(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'beta'?)`, or nothing when no known name is close."""
    close = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""

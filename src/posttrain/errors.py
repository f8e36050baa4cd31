"""What can go wrong, by whose hand, and the exit code that says so. Every message names what, where and the remedy."""

from __future__ import annotations

import difflib
import errno
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


class SandboxError(PosttrainError):
    """Code that a model wrote cannot be contained on this machine."""

    exit_code = 9


class OutOfMemoryError(PosttrainError):
    """The memory of the processor or of the accelerator is used up."""

    exit_code = 10


class StoppedError(PosttrainError):
    """The run was asked to stop by a signal, whose number is in the exit code as a shell would have it."""

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal


class MissingExtraError(ConfigError):
    """An optional dependency that this feature needs is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional dependency: pip install 'posttrain[{extra}]'")


def of_the_machine(error: Exception) -> PosttrainError | None:
    """A full memory or disk, which any line can meet, as an error for the user; None for everything else."""
    said = " ".join(str(error).split())
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in said:
        return OutOfMemoryError(
            f"out of memory ({said[:200] or 'no details'}); lower train.tokens_per_device, sampling.slots or "
            "sampling.max_tokens, or set model.lora or model.activation_checkpointing; then continue with --resume"
        )
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or "No space left on device" in said:
        return StorageError(f"the disk is full ({said[:200]}); free some space and continue with --resume")
    return None


def suggestion(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'beta'?)`, or nothing when no known name is close."""
    close = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""

"""User-facing errors and their exit codes. Every message names what is wrong, where, and the remedy."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable


class PosttrainError(Exception):
    """Base of all errors that are meant for the user; the command line prints them without a traceback."""

    exit_code = 1


class ConfigError(PosttrainError):
    """A run file, an override, a method or an option that is invalid."""

    exit_code = 2


class DataError(PosttrainError):
    """An unusable record; the message names file, line and column."""

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
    """A worker process that died."""

    exit_code = 7


class StorageError(PosttrainError):
    """A run directory or checkpoint that cannot be written or trusted."""

    exit_code = 8


class SandboxError(PosttrainError):
    """This machine has no sandbox for code that a model wrote."""

    exit_code = 9


class OutOfMemoryError(PosttrainError):
    """The memory of the CPU or of the accelerator is used up."""

    exit_code = 10


class GateError(PosttrainError):
    """A model that was trained and saved, and does not show what its run file demands.

    `result`: what the run left behind.
    """

    exit_code = 11

    def __init__(self, message: str, result: object = None) -> None:
        super().__init__(message)
        self.result = result


class StoppedError(PosttrainError):
    """A signal asked the run to stop. The exit code is 128 plus its number, as in a shell."""

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal


class MissingExtraError(ConfigError):
    """An optional dependency that this feature needs is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional dependency: pip install 'posttrain[{extra}]'")


def from_system_error(error: Exception) -> PosttrainError | None:
    """Translate running out of memory or disk, which can happen on any line, for the user; None for other errors."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in text:
        return OutOfMemoryError(
            f"out of memory ({text[:200] or 'no details'}); lower train.tokens_per_device (while sampling: "
            "sampling.slots or sampling.max_tokens), or set model.lora or model.activation_checkpointing"
        )
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or "No space left on device" in text:
        return StorageError(f"the disk is full ({text[:200]}); free some space and run the command again")
    return None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'beta'?)` for the closest known name, or an empty string when none is close.

    Of close names, one with the same letters in another order wins: gpro is grpo rather than gpo.
    """
    close = difflib.get_close_matches(name, list(known), 9, 0.6)
    swapped = [other for other in close if sorted(other) == sorted(name)]
    return f" (did you mean {(swapped or close)[0]!r}?)" if close else ""

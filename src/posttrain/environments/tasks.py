"""The tasks that an environment makes itself, as a source of data: `environment`, or `environment:seed=1`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from posttrain.environments.environment import Environment
from posttrain.errors import ConfigError, DataError

SOURCE = "environment"
COUNT = 1000  # tasks, unless the source has a size


def seed_of(spec: str) -> int | None:
    """Return the seed of a source that names tasks of the environment; None for any other source."""
    match = re.fullmatch(rf"{SOURCE}(?::seed=(\d+))?", spec)
    if match is None:
        if spec.startswith(f"{SOURCE}:"):
            raise ConfigError(f"{spec}: write {SOURCE}, or {SOURCE}:seed=1 for other tasks")
        return None
    return int(match[1] or 0)


def tasks(
    made: type[Environment], path: str, count: int, seed: int, settings: Mapping[str, Any] = MappingProxyType({})
) -> list[tuple[str, Mapping[str, Any]]]:
    """Make (where, row) for each task. Raises DataError if the environment makes none, or what it makes are no rows.

    `settings`: those of the environment, of which `tasks` gets the ones that it names.
    """
    try:
        named = inspect.signature(made.tasks).parameters.keys() & settings.keys()
        rows: Any = made.tasks(count, seed, **{name: settings[name] for name in named})
    except NotImplementedError:
        raise DataError(f"environment {path} makes no tasks of its own; give it some: data: FILE") from None
    except ConfigError:
        raise
    except Exception as error:  # a user's environment may fail in any way; the error must name it
        raise DataError(f"environment {path}: tasks({count}, {seed}) raised {type(error).__name__}: {error}") from error
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise DataError(f"environment {path}: tasks must return a list of rows ({{'prompt': ...}}), not {rows!r:.80}")
    return [(f"{SOURCE} {path}:{i}", row) for i, row in enumerate(rows)]

"""What a search may spend."""

from __future__ import annotations

from dataclasses import dataclass

from posttrain.errors import ConfigError


@dataclass(frozen=True)
class Budget:
    """Limits of a search; None: no limit of its own. What is spent counts over all attempts of the run.

    `proposals`: texts that a writer is asked for. `evaluations`: texts that are evaluated, each once.
    """

    proposals: int | None = None
    evaluations: int | None = None

    def __post_init__(self) -> None:
        for name, limit in vars(self).items():
            if limit is not None and limit < 1:
                raise ConfigError(f"budget: {name}={limit} leaves nothing to search with; give at least 1, or none")

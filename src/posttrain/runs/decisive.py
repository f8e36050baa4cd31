"""Which keys of a run file decide what is trained; the others are free when a run is resumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from posttrain.runs.changes import flattened
from posttrain.seeds import seed_for

FREE = (
    *("name", "output", "device", "scoring", "report", "evaluate", "gates"),
    *(f"environment.{key}" for key in ("timeout", "workers", "memory")),
    *(f"sampler.{key}" for key in ("python", "patience", "starting", "max_gap")),
    *(f"train.{key}" for key in ("max_seconds", "save_every", "save_minutes", "keep", "keep_every")),
    *(f"train.{key}" for key in ("log_every", "samples_every", "samples_tokens")),
)  # keys, or whole sections, that change where a run is, what is written of it and what is measured


def settings_of(config: Mapping[str, Any]) -> str:
    """Identify what is trained by a hash that does not depend on where its files lie, nor on what is written of it."""
    decisive = {key: value for key, value in flattened(config).items() if not is_free(key)}
    return f"{seed_for(json.dumps(decisive, sort_keys=True, default=str)):014x}"


def is_free(key: str) -> bool:
    """Whether a key, by its dotted path, changes nothing about what is trained."""
    return any(key == free or key.startswith(f"{free}.") for free in FREE)

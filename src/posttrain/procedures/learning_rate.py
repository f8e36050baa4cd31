"""The learning rate of a stage as a share of the one that its options or the run file give. No procedure itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.training.session import Options, Session


def with_scaled_rate(session: Session, options: Options, factor: float) -> dict[str, Any]:
    """Return a stage's options with its learning rate, or that of each role, times a factor."""
    rate = options.get("learning_rate", session.run.file.train.learning_rate)
    scaled = {r: x * factor for r, x in rate.items()} if isinstance(rate, Mapping) else rate * factor
    return {**options, "learning_rate": scaled}

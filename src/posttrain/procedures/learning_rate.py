"""The learning rate of a stage as a share of the one that its options or the run file give. No procedure itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.core.method import Method
from posttrain.training.learning_rates import peaks
from posttrain.training.session import Options, Session


def with_scaled_rate(session: Session, method: Method, options: Options, factor: float) -> dict[str, Any]:
    """Return the options of a stage that trains the policy, its learning rate (of each role) times a factor."""
    file = session.run.file
    rate = peaks(options.get("learning_rate", file.train.learning_rate), file, method, ("policy",))
    scaled = {r: x * factor for r, x in rate.items()} if isinstance(rate, Mapping) else rate * factor
    return {**options, "learning_rate": scaled}

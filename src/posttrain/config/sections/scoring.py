"""`scoring`: how reward functions are run."""

from __future__ import annotations

from posttrain.config.section import Section
from posttrain.config.types import Positive, Share, Whole


class Scoring(Section):
    """The worker processes that run reward functions."""

    workers: Whole = 2
    """Number of worker processes; the result does not depend on it. 0 runs everything in the process of the trainer."""
    timeout: Positive = 10.0
    """Time limit of one call of a reward function in seconds; a call that takes longer counts as failed."""
    max_error_rate: Share = 0.05
    """Fraction of a batch that may fail to be scored; a larger one stops the run."""

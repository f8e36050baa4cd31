"""`train.privacy`: how little a single record may show in the weights."""

from __future__ import annotations

from pydantic import Field, model_validator

from posttrain.config.section import Section
from posttrain.config.types import NotNegative, Positive


class Privacy(Section):
    """Differential privacy: the gradient of every record is clipped, and their sum gets noise (DP-SGD, DP-Adam)."""

    clip: Positive = 1.0
    """Largest norm of the gradient of one record; 0.1 to 1 is typical."""
    epsilon: Positive | None = None
    """Budget ε of the whole run: the noise is as small as its steps allow, and it stops where the budget is spent; 1
    to 8 is typical."""
    noise: NotNegative | None = None
    """Standard deviation of the noise over `clip`, instead of `epsilon`; 0.5 to 2 is typical, and 0 protects nobody."""
    delta: float | None = Field(default=None, gt=0, lt=1)
    """Probability δ that ε does not hold; null is one over the number of records."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Privacy:
        if (self.noise is None) == (self.epsilon is None):
            raise ValueError("give one of epsilon and noise: each of them follows from the other")
        return self

"""`models.ROLE.scripted`: a speaker of stated accuracy that stands in for a language model."""

from __future__ import annotations

from pydantic import Field

from posttrain.config.section import Section
from posttrain.config.types import Whole


class ScriptedSpeaker(Section):
    """A speaker that knows the truth and says it with a stated probability, to try a procedure without a model."""

    accuracy: float = Field(default=1.0, ge=0, le=1)
    """Probability that an answer is right; 0 to 1, and 0.5 to 1.0 shows how help fades as the speaker gets worse."""
    seed: Whole = 0
    """Seed from which its mistakes derive; 0 or more."""

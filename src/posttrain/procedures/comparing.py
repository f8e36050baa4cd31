"""What procedures of planners share: the seeds of their trials, and what a comparison leaves."""

from __future__ import annotations

from posttrain.errors import ConfigError
from posttrain.learners.gain import gain
from posttrain.learners.planning.comparison import Comparison
from posttrain.procedures.helping import told
from posttrain.training.session import Session


def trials(session: Session, count: int) -> list[int]:
    """The seeds of a number of trials. ConfigError for none."""
    if count < 1:
        raise ConfigError(f"procedure.seeds: {count} is not at least 1")
    return [session.seed("trial", n) for n in range(count)]


def finish(session: Session, artefact: str, made: Comparison) -> dict[str, float]:
    """Keep what a comparison found, say what the speaker was worth, and return its numbers."""
    session.artefact(artefact, made.kept)
    return told(session, {**gain(made.helped, made.alone), **made.numbers})

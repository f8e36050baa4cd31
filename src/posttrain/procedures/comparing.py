"""What procedures of planners share: what a comparison leaves."""

from __future__ import annotations

from posttrain.learners.gain import gain
from posttrain.learners.planning.comparison import Comparison
from posttrain.procedures.helping import told
from posttrain.training.session import Session


def finish(session: Session, artefact: str, made: Comparison) -> dict[str, float]:
    """Keep what a comparison found, say what the speaker was worth, and return its numbers."""
    session.artefact(artefact, made.kept)
    return told(session, {**gain(made.helped, made.alone), **made.numbers})

"""What a comparison leaves."""

from __future__ import annotations

from posttrain.learners.planning.comparison import Comparison
from posttrain.procedures.comparing import finish
from tests.harness.learning_session import LearningSession


def test_numbers_are_returned_beside_the_gain():
    session = LearningSession()
    made = finish(session, "plans", Comparison([2.0, 3.0], [1.0, 2.0], {"right": 0.5}, ["kept"]))
    assert made == {"helped": 2.5, "alone": 1.5, "gain": 1.0, "gain/low": 1.0, "gain/high": 1.0, "right": 0.5}
    assert session.artefacts == {"plans": ["kept"]}

"""What a comparison leaves, and how many trials there must be."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.planning.comparison import Comparison
from posttrain.procedures.comparing import finish, trials
from tests.harness.learning_session import LearningSession


def test_trials_have_seeds_of_their_own():
    session = LearningSession()
    assert trials(session, 3)[:2] == trials(session, 2)
    assert len(set(trials(session, 3))) == 3
    with pytest.raises(ConfigError, match=r"procedure.seeds: 0 is not at least 1"):
        trials(session, 0)


def test_numbers_are_returned_beside_the_gain():
    session = LearningSession()
    made = finish(session, "plans", Comparison([2.0, 3.0], [1.0, 2.0], {"right": 0.5}, ["kept"]))
    assert made == {"helped": 2.5, "alone": 1.5, "gain": 1.0, "gain/low": 1.0, "gain/high": 1.0, "right": 0.5}
    assert session.artefacts == {"plans": ["kept"]}

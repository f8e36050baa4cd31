"""The options of a small learner are checked before it learns, and so is the number of learners."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.q_learning import Settings
from posttrain.learners.worlds.chain import Chain
from posttrain.procedures.helping import compared, learning, trials
from tests.harness.learning_session import LearningSession


def test_options_become_settings():
    assert learning(None) == Settings()
    assert learning({"episodes": 3, "rate": 1, "double": True}) == Settings(episodes=3, rate=1, double=True)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"episode": 3}, r"procedure.q.episode: unknown setting.*episodes"),
        ({"episodes": "three"}, r"procedure.q.episodes: 'three' is not of the kind of 200"),
        ({"double": 1}, r"procedure.q.double"),
    ],
)
def test_what_is_wrong_is_named(given, problem):
    with pytest.raises(ConfigError, match=problem):
        learning(given)


def test_trials_have_seeds_of_their_own():
    session = LearningSession()
    assert trials(session, 3)[:2] == trials(session, 2)
    assert len(set(trials(session, 3))) == 3
    with pytest.raises(ConfigError, match=r"procedure.seeds: 0 is not at least 1"):
        trials(session, 0)


def test_no_learners_are_an_error_before_anything_is_kept():
    session = LearningSession()
    with pytest.raises(ConfigError, match=r"procedure.seeds: 0 is not at least 1"):
        compared(session, Chain(length=3), None, None, 0)
    assert not session.artefacts

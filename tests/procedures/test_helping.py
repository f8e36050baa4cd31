"""The options of a small learner are checked before it learns."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.q_learning import Settings
from posttrain.procedures.helping import learning


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

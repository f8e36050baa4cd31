"""Matrix games: which of the four outcomes meet each objective, by hand."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.worlds.matrix_game import MatrixGame, Played


def met(**settings):
    table = MatrixGame(**settings).table()
    return {a for a, r in zip(MatrixGame.actions, table.R[0], strict=True) if r == 1}


@pytest.mark.parametrize(
    ("objective", "good", "stag"),
    [
        ("welfare", {"A A"}, {"A A"}),
        ("equality", {"A A", "B B"}, {"A A", "B B"}),
        ("rawls", {"A A"}, {"A A"}),
        ("pareto", {"A A", "A B", "B A"}, {"A A"}),
    ],
)
def test_what_meets_an_objective(objective, good, stag):
    assert met(objective=objective) == good
    assert met(objective=objective, payoffs=[[4, 4], [1, 3], [3, 1], [2, 2]]) == stag


def test_it_is_told_in_words_and_ends_after_one_move():
    game = MatrixGame()
    start = game.reset(0)
    assert "A B: 0 and 5" in game.describe(start)
    step = game.step(1)
    assert (step.state, step.reward, step.done) == (Played("A", "B"), 0.0, True)
    assert game.describe(step.state) == "The first player chose A and got 0, the second chose B and got 5."


def test_what_is_wrong_is_named():
    with pytest.raises(ConfigError, match="no objective 'welfar'.*did you mean"):
        MatrixGame(objective="welfar")
    with pytest.raises(ConfigError, match="3 payoffs; give one pair for each of A A, A B, B A, B B"):
        MatrixGame(payoffs=[[1, 1]] * 3)

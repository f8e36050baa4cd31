"""The game of saying and selecting: who hears knows only what was said."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.worlds.say_select import SaySelect


def test_a_game():
    game = SaySelect(numbers=3)
    for selected, reward in ((0, 0.0), (2, 1.0)):
        seed = next(s for s in range(50) if game.reset(s) == ("sees", 2))
        assert game.describe(game.reset(seed)) == "You see that 3 pays, and say a number."
        told = game.step(1)
        assert (told.state, told.reward, told.done) == (("hears", 1), 0.0, False)
        assert game.describe(told.state) == "Your partner has said 2, and you select a number."
        end = game.step(selected)
        assert (end.reward, end.done) == (reward, True)
        assert game.describe(end.state) == "A number is selected."


def test_every_number_pays_at_times_and_there_is_no_table():
    game = SaySelect(numbers=3)
    assert {game.reset(seed)[1] for seed in range(30)} == {0, 1, 2}
    with pytest.raises(ConfigError, match="no table"):
        game.table()

"""Ratings from comparisons, against the closed form and the optimality of the likelihood."""

from __future__ import annotations

import math

import pytest

from posttrain.evaluation.metrics.ratings import ELO, bradley_terry


def test_two_players_differ_by_the_log_odds():
    found = bradley_terry({("a", "b"): 3, ("b", "a"): 1})
    assert found["a"] - found["b"] == pytest.approx(math.log(3))
    assert found["a"] + found["b"] == pytest.approx(0)
    assert ELO * math.log(10) == pytest.approx(400)


def test_every_player_wins_as_often_as_its_rating_says():
    """The likelihood is largest where expected and observed wins are equal."""
    wins = {("a", "b"): 5, ("b", "a"): 2.5, ("b", "c"): 3, ("c", "b"): 4, ("c", "a"): 1, ("a", "c"): 6}
    s = bradley_terry(wins)
    for player in s:
        games = {o: wins[player, o] + wins[o, player] for o in s if o != player}
        expected = sum(n / (1 + math.exp(s[o] - s[player])) for o, n in games.items())
        assert expected == pytest.approx(sum(wins[player, o] for o in games))


def test_equal_players_are_equal_and_one_that_never_wins_is_refused():
    assert bradley_terry({("a", "b"): 0.5, ("b", "a"): 0.5}) == pytest.approx({"a": 0.0, "b": 0.0})
    with pytest.raises(ValueError, match="b never beat a"):
        bradley_terry({("a", "b"): 2})

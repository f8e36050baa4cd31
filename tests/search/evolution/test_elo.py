"""Elo: golden numbers, and that what one wins the other loses."""

from __future__ import annotations

import pytest

from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.course import Match
from posttrain.search.evolution.elo import START, expected, rate


def rated(*outcomes: float | None, k: float = 32.0) -> list[float | None]:
    archive = Archive()
    for name in "abc":
        archive.add(name, fitness=START)
    archive.add("broken")
    pairs = [Match(0, 1), Match(1, 2), Match(0, 1), Match(2, 3)]
    rate(archive, pairs[: len(outcomes)], outcomes, k)
    return [c.fitness for c in archive.candidates]


@pytest.mark.paper("hazra2024wjp")
def test_a_text_that_is_repeated_has_the_rating_of_the_first():
    archive = Archive()
    for text in "aba":
        archive.add(text, fitness=START)
    rate(archive, [Match(0, 1)], [0.0])
    assert [c.fitness for c in archive.candidates] == [1484.0, 1516.0, 1484.0]
    assert archive.best.number == 1


def test_three_of_four_games_are_won_at_a_gap_of_191():
    assert expected(190.8485, 0.0) == pytest.approx(0.75, abs=1e-6)
    assert expected(1500, 1500) == 0.5


@pytest.mark.paper("hazra2024wjp")
def test_ratings_move_by_what_was_not_expected():
    assert rated(1.0) == [1516.0, 1484.0, 1500.0, None]
    assert rated(0.0, k=10) == [1495.0, 1505.0, 1500.0, None]
    assert rated(0.5) == [1500.0, 1500.0, 1500.0, None]
    second = 32 * (1 - 1 / (1 + 10 ** ((1516 - 1484) / 400)))
    assert rated(1.0, None, 0.0)[:2] == pytest.approx([1516 - second, 1484 + second])


@pytest.mark.paper("hazra2024wjp")
def test_what_one_wins_the_other_loses_and_no_outcome_is_no_tie():
    assert sum(x for x in rated(1.0, 0.5, 0.0, 1.0) if x is not None) == pytest.approx(3 * START)
    assert rated(None, None) == [START, START, START, None]
    assert rated(1.0, None) == rated(1.0)

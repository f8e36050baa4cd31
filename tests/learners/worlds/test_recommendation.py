"""Recommendation: clicks come from what is liked and known."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.recommendation import SERVED, Recommendation


def test_a_recommendation_is_worth_its_probability_of_a_click():
    world = Recommendation(seed=3)
    values = value_iteration(world.table())
    assert values.Q[:4] == pytest.approx(world.clicks)
    assert world.table().states[4] == SERVED


def test_what_is_not_liked_or_known_to_nobody_is_not_clicked():
    world = Recommendation(readers=3, items=6)
    assert set(world.relevant.flat) == {0.0, 1.0}
    assert (world.relevant.sum(axis=0) < 3).any()
    assert (world.clicks[world.relevant == 0] == 0).all()
    liked = world.relevant == 1
    assert world.clicks[liked] == pytest.approx(np.broadcast_to((1 - world.novelty) / 2, liked.shape)[liked])


def test_every_reader_likes_two_genres_and_the_words_say_which():
    world = Recommendation()
    for reader, taste in enumerate(world.tastes):
        assert world.describe(reader) == f"Reader {reader} likes {taste}."
        for item, genre in enumerate(world.genres):
            assert world.relevant[reader, item] == (genre in taste.split(" and "))
    assert world.describe(SERVED) == "Nobody asks."


def test_another_seed_is_another_shop():
    assert Recommendation(seed=1).tastes == Recommendation(seed=1).tastes
    assert not np.array_equal(Recommendation(seed=1).clicks, Recommendation(seed=2).clicks)

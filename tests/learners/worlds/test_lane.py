"""Driving: distances, lanes, crashes, and what passengers like."""

from __future__ import annotations

import pytest

from posttrain.learners.worlds.lane import VIEW, Lane, Road

BRAKE, KEEP, ACCELERATE, CHANGE = range(4)


@pytest.mark.parametrize(
    ("state", "action", "ahead", "there"),
    [
        (Road(0, 4, 6, 1), KEEP, (1, 1), Road(0, 4, 6, 1)),
        (Road(0, 4, 6, 1), ACCELERATE, (1, 0), Road(0, 3, 4, 2)),
        (Road(0, 4, 6, 1), BRAKE, (1, 1), Road(0, 5, VIEW, 0)),
        (Road(0, 4, 2, 2), CHANGE, (0, 1), Road(1, 2, 1, 2)),
        (Road(0, 4, 6, 3), ACCELERATE, (1, 1), Road(0, 2, 4, 3)),
        (Road(0, 4, 6, 0), BRAKE, (0, 0), Road(0, 4, 6, 0)),
        (Road(0, 4, 1, 2), KEEP, (0, 0), Road(0, 2, VIEW, 2)),  # the other one is overtaken, another comes in sight
        (Road(0, 1, 4, 2), KEEP, (0, 1), Road(0, VIEW, 3, 2, 1)),
        (Road(0, 4, 1, 2), CHANGE, (0, 0), Road(1, 2, VIEW, 2, 1)),
    ],
)
def test_where_an_action_leads(state, action, ahead, there):
    assert Lane().moved(state, action, ahead) == there


def test_chances_of_the_cars_ahead():
    found = {there: p for p, there, _ in Lane(braking=0.2).outcomes(Road(0, 3, 4, 1), KEEP)}
    assert found == pytest.approx(
        {Road(0, 3, 4, 1): 0.64, Road(0, 2, 4, 1): 0.16, Road(0, 3, 3, 1): 0.16, Road(0, 2, 3, 1): 0.04}
    )


@pytest.mark.parametrize(
    ("wish", "before", "after", "reward"),
    [
        ("quick", Road(0, 6, 6, 1), Road(0, 5, 5, 2), 2 / 3),
        ("school", Road(0, 6, 6, 2), Road(0, 5, 5, 3), 1 - 2),
        ("school", Road(0, 6, 6, 0), Road(0, 5, 5, 1), 1 / 3),
        ("sick", Road(0, 6, 6, 1), Road(0, 5, 5, 3), 1 - 0.8 * 2),
        ("sick", Road(0, 6, 6, 1), Road(1, 6, 6, 1), 1 / 3 - 0.8),
        ("quick", Road(0, 0, 6, 1), Road(0, 6, 6, 1, 1), 1 / 3 - 20),
    ],
)
def test_what_passengers_like(wish, before, after, reward):
    assert Lane(wish=wish).worth(before, after) == pytest.approx(reward)


def test_words():
    world = Lane(wish="school")
    assert world.describe(Road(1, 2, 5, 3)) == (
        "You drive in the right lane at speed 3 of 3. The car ahead is 5 lengths away, the one in the other lane 2."
    )
    assert world.describe(Road(crashed=1)) == "You have hit the car ahead."
    assert "school" in world.goal

"""The crossing: who leaves, who comes, and what is unusual."""

from __future__ import annotations

from collections import Counter

import pytest

from posttrain.learners.lookup import world
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.crossing import Crossing, Traffic

QUIET = Crossing(arrivals=(0.0, 0.0), unusual=0.0)


def only(world, state, action):
    ((p, there, reward),) = world.outcomes(state, action)
    assert p == pytest.approx(1)
    return there, reward


def test_a_green_light_lets_one_car_through_and_a_change_nobody():
    assert only(QUIET, Traffic(2, 1, 0), 0) == (Traffic(1, 1, 0), -3)
    assert only(QUIET, Traffic(2, 1, 0), 1) == (Traffic(2, 1, 1), -3)
    assert only(QUIET, Traffic(0, 0, 0), 0) == (Traffic(0, 0, 0), 0)


def test_an_ambulance_waits_until_its_light_is_green():
    assert only(QUIET, Traffic(1, 0, 0, 1), 0) == (Traffic(0, 0, 0, 0), -6)
    assert only(QUIET, Traffic(1, 0, 0, 2), 0) == (Traffic(0, 0, 0, 2), -6)
    assert only(QUIET, Traffic(0, 1, 0, 2), 1) == (Traffic(0, 1, 1, 2), -6)  # the step of the change


def test_green_before_a_blocked_exit_is_illegal_and_moves_nobody():
    state = Traffic(2, 0, 0, 3)
    assert not QUIET.legal(state, 0)
    assert QUIET.legal(state, 1)
    found = {there: (p, reward) for p, there, reward in QUIET.outcomes(state, 0)}
    assert found == {Traffic(2, 0, 0, 0): (0.25, -22), Traffic(2, 0, 0, 3): (0.75, -22)}


def test_arrivals_are_independent_and_a_full_road_takes_nobody():
    found: Counter[Traffic] = Counter()
    for p, there, _ in Crossing(arrivals=(0.5, 0.25), unusual=0.0).outcomes(Traffic(4, 3, 0), 1):
        found[there] += p
    assert found == pytest.approx({Traffic(4, 3, 1): 0.75, Traffic(4, 4, 1): 0.25})


def test_what_is_unusual_begins_alike_often():
    found = {there.event: p for p, there, _ in Crossing(arrivals=(0.0, 0.0), unusual=0.2).outcomes(Traffic(), 0)}
    assert found == pytest.approx({0: 0.8, 1: 0.05, 2: 0.05, 3: 0.05, 4: 0.05})


def test_the_best_policy_serves_a_queue_before_it_changes():
    """One car behind a green light and one behind a red one: 1 + γ·1 + γ²·1 beats 2 + γ·2 + γ²·1 + ..."""
    table = QUIET.table()
    values = value_iteration(Crossing(arrivals=(0.4, 0.1), unusual=0.0).table())
    assert value_iteration(table).V[0] == 0
    row = Crossing(arrivals=(0.4, 0.1), unusual=0.0).table().index()[Traffic(1, 1, 0)]
    assert values.policy[row, 0] == 1


def test_words():
    said = QUIET.describe(Traffic(2, 0, 1, 4))
    assert said == (
        "2 cars wait on the north-south road, 0 cars wait on the east-west road. The light is green for east-west. "
        "The exit of the east-west road is blocked."
    )
    assert QUIET.unusually(Traffic(event=1)) == "An ambulance waits on the north-south road."


def test_arrivals_may_be_written_as_in_a_run_file():
    assert world("crossing", {"arrivals": [0.2, 0.1]}).arrivals == (0.2, 0.1)

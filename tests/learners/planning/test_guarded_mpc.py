"""Control behind a verifier: it has the last word, whatever the speaker says."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from posttrain.errors import ConfigError
from posttrain.learners.planning.guarded_mpc import (
    USUAL,
    WAYS,
    Control,
    Driver,
    Weights,
    best_way,
    compared,
    drive,
    refusal,
)
from posttrain.learners.speaker import Scripted, Speaker
from posttrain.learners.worlds.lane import Lane, Road

BRAKE, KEEP, ACCELERATE, CHANGE = range(4)
LANE = Lane(wish="school")
SHORT = {wish: Control(Lane(wish=wish, view=3)) for wish in ("quick", "school", "sick")}
CONTROL = Control(LANE)
pytestmark = pytest.mark.paper("000:[72]")


class Random(Speaker):
    """Says anything: a way of driving, nothing, or nonsense."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.asked = []

    def answer(self, questions):
        said = [*WAYS, None, "faster!", ""]
        self.asked += [q.text for q in questions]
        return [said[self.random.integers(len(said))] for _ in questions]

    def probabilities(self, questions):
        raise NotImplementedError


def test_ten_thousand_random_outputs_violate_nothing():
    """Cars that brake half of the time; and every action taken keeps a distance in which one can stop."""
    world = Lane(braking=0.5, view=4)
    driver = Driver(Control(world), Random(0))
    state = world.reset(0)
    while len(driver.speaker.asked) < 10_000:
        decision = driver.decide(state)
        assert refusal(world, state, decision.action) is None
        step = world.step(decision.action)
        assert not step.done
        state = step.state
        assert state.gaps()[state.lane] >= state.speed * (state.speed - 1) // 2


def test_from_a_safe_place_braking_is_safe_for_ever():
    for left, right, speed, lane in product(range(7), range(7), range(4), range(2)):
        state = Road(lane, left, right, speed)
        if state.gaps()[lane] >= speed * (speed - 1) // 2:
            assert refusal(LANE, state, BRAKE) is None


@pytest.mark.parametrize(
    ("state", "action", "reason"),
    [
        (Road(0, 2, 6, 1), ACCELERATE, "0 lengths would be left, and at speed 2 one needs 1"),
        (Road(0, 3, 6, 1), ACCELERATE, None),
        (Road(0, 1, 6, 2), KEEP, "nothing would be left, and at speed 2 one needs 1"),
        (Road(0, 6, 2, 2), CHANGE, "0 lengths would be left"),
        (Road(0, 6, 3, 2), CHANGE, None),
        (Road(0, 6, 1, 2), CHANGE, "nothing"),
        (Road(0, 6, 6, 3), KEEP, None),
        (Road(0, 5, 6, 3), KEEP, "2 lengths would be left, and at speed 3 one needs 3"),
    ],
)
def test_what_the_verifier_refuses(state, action, reason):
    said = refusal(LANE, state, action)
    assert (reason is None and said is None) or reason in said


def cheapest(control, state, weights):
    """The best sequence by enumeration."""

    def cost(actions):
        now, total = state, 0.0
        for action in actions:
            after = LANE.moved(now, action, (1, 1))
            if after.crashed:
                return math.inf
            total += weights.speed * (3 - after.speed) + weights.above * max(0, after.speed - 1)
            total += weights.jerk * abs(after.speed - now.speed) + weights.change * (after.lane != now.lane)
            now = after
        return total

    return min(product(range(4), repeat=control.horizon), key=cost)[0]


@pytest.mark.parametrize("way", WAYS)
def test_the_optimiser_finds_what_enumeration_finds(way):
    for state in [Road(0, g, h, v) for g in (0, 2, 5) for h in (1, 4) for v in range(4)]:
        assert CONTROL.propose(state, WAYS[way]) == cheapest(CONTROL, state, WAYS[way])


def test_goldens_of_the_cost():
    w = Weights(1.0, 5.0, 0.5, 0.25)
    assert CONTROL.step_cost(Road(0, 5, 5, 1), Road(1, 5, 4, 2), w) == 1 + 5 + 0.5 + 0.25
    assert CONTROL.step_cost(Road(0, 5, 5, 1), Road(0, 5, 5, 0), w) == 3 + 0.5
    assert CONTROL.step_cost(Road(0, 5, 5, 1), Road(0, 5, 5, 1, 1), w) == math.inf


def test_a_refusal_goes_back_to_the_speaker_for_a_bounded_number_of_times():
    class Hurries(Random):
        def answer(self, questions):
            super().answer(questions)
            return ["hurry"]

    driver = Driver(SHORT["school"], Hurries(0), rounds=3)
    near = Road(0, 2, 0, 1)
    decision = driver.decide(near)
    assert (decision.way, decision.refused) == (None, 3)
    assert refusal(LANE, near, decision.action) is None
    assert [text.count("was refused") for text in driver.speaker.asked] == [0, 1, 2]
    assert "at speed 2 one needs 1 to stop" in driver.speaker.asked[1]
    assert driver.decide(Road(0, 3, 3, 1)).way == "hurry"


def test_without_a_speaker_it_is_the_optimiser_with_the_usual_weights():
    driver = Driver(CONTROL, None)
    for state in (Road(0, 2, 0, 1), Road(0, 6, 6, 2), Road(1, 3, 3, 3)):
        assert driver.decide(state).action == CONTROL.propose(state, WAYS[USUAL], safe=True)


def test_the_truth_is_the_way_that_is_worth_most():
    """By driving: the ways are worth what the exact evaluation says, on average."""
    assert best_way(SHORT["school"]) == "creep"
    for control in SHORT.values():
        ways = {way: np.mean([earned(control, way, seed) for seed in range(6)]) for way in WAYS}
        assert ways[best_way(control)] > max(ways.values()) - 0.05


def earned(control, way, seed):
    class Always(Random):
        def answer(self, questions):
            return [way]

    return drive(Driver(control, Always(0), rounds=1), seed=seed, steps=60)["reward"]


def test_a_wish_that_would_be_ignored_is_refused():
    with pytest.raises(ConfigError, match=r"procedure.options.wish: there are drives with every passenger"):
        compared({"wish": "sick"}, Scripted(1.0), [0], steps=1, rounds=1, horizon=1)


def test_a_speaker_that_is_right_pleases_the_passengers_more():
    made = compared({"view": 3}, Scripted(1.0), [0, 1], steps=60, rounds=2, horizon=2)
    assert min(x - y for x, y in zip(made.helped, made.alone, strict=True)) > 0.02
    assert made.numbers["crashes"] == 0
    assert made.kept["school"] == "creep"
    assert Driver(CONTROL, None).decide(Road(0, 6, 6, 1)).way is None

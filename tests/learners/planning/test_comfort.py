"""A reward from what a passenger is said to have liked."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.planning.comfort import Drive, ask, compared, drives, features, fit, true_worth
from posttrain.learners.speaker import Scripted, Speaker
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.lane import Lane, Road

pytestmark = pytest.mark.paper("sun2024nor")
WORLD = Lane(wish="sick", view=2)


def drive(*numbers, worth=0.0):
    return Drive(np.array(numbers), worth)


def test_features_of_an_action():
    assert features(Road(0, 6, 6, 1), 2) == pytest.approx([2 / 3, 1, 0])
    assert features(Road(0, 6, 6, 3), 2) == pytest.approx([1, 0, 0])
    assert features(Road(0, 6, 6, 3), 0) == pytest.approx([2 / 3, 1, 0])
    assert features(Road(0, 6, 6, 0), 0) == pytest.approx([0, 0, 0])
    assert features(Road(0, 6, 6, 2), 3) == pytest.approx([2 / 3, 0, 1])


def test_golden():
    """One pair, one feature, t = 1: the maximum of log σ(w x) - w² / 2 solves w = x σ(-w x)."""
    w = fit([(drive(0.0, 2.0, 0.0), drive(0.0, 0.0, 0.0))], [1.0])
    assert w[1] == pytest.approx(2 / (1 + np.exp(2 * w[1])))
    assert w[[0, 2]] == pytest.approx([0, 0])


def test_two_drives_in_the_other_order_with_the_other_answer_teach_the_same():
    one, two = drive(1.0, 2.0, 0.5), drive(0.5, 0.0, 1.0)
    assert fit([(one, two)], [0.8]) == pytest.approx(fit([(two, one)], [0.2]))
    assert fit([(one, two)], [0.5]) == pytest.approx([0, 0, 0])
    assert fit([(one, two)], [0.8], prior=1e-3) == pytest.approx([0, 0, 0], abs=1e-5)


def test_a_sensor_that_failed_and_an_answer_that_could_not_be_read_teach_nothing():
    one, two = drive(1.0, np.nan, 0.5), drive(0.5, 3.0, 1.0)
    assert fit([(one, two)], [1.0])[1] == 0
    assert fit([(one, two)], [1.0])[0] > 0
    assert fit([(one, two)], [None]) == pytest.approx([0, 0, 0])
    assert one.words() == "speed: 1.0, jolts: the sensor failed, bends: 0.5"


def test_answers_become_targets():
    class Says(Speaker):
        def answer(self, questions):
            raise NotImplementedError

        def probabilities(self, questions):
            return [(0.5, 0.2, 0.3), None]

    pair = (drive(1.0, 0.0, 0.0, worth=1.0), drive(0.0, 0.0, 0.0))
    assert ask(WORLD, Says(), [pair, pair]) == [pytest.approx(0.65), None]
    assert ask(WORLD, Scripted(1.0), [pair, pair[::-1], (pair[0], pair[0])]) == [1.0, 0.0, 0.5]


def test_the_passengers_own_weights_make_the_best_driver():
    best = value_iteration(WORLD.table()).V[0]
    assert true_worth(WORLD, np.array([1.0, -0.8, -0.8])) == pytest.approx(best, abs=1e-6)
    assert true_worth(WORLD, np.array([1.0, 0.0, 0.0])) < best - 0.5


def test_drives_differ_and_their_sensors_fail_at_times():
    made = drives(WORLD, 0, count=40, steps=6, failing=0.25)
    failed = np.isnan([d.features for d in made]).mean()
    assert 0.1 < failed < 0.4
    assert not np.isnan([d.features for d in drives(WORLD, 0, count=9, steps=6, failing=0.0)]).any()
    assert len({d.worth for d in made}) > 10


def test_what_is_liked_is_learned_from_a_speaker_that_is_right():
    made = compared(WORLD, Scripted(1.0), [0, 1], pairs=40, steps=6, failing=0.1)
    assert made.numbers["weight/jolts"] < -0.2
    assert made.numbers["weight/bends"] < -0.2
    assert made.numbers["weight/speed"] > 0.2
    assert min(made.helped) > made.alone[0] + 0.5
    assert len(made.kept) == 2


@pytest.mark.parametrize(("wish", "who"), [("quick", "late for a train"), ("school", "children"), ("sick", "sick")])
def test_the_speaker_hears_of_the_passenger_of_the_world(wish, who):
    class Hears(Scripted):
        def probabilities(self, questions):
            assert who in questions[0].text
            return super().probabilities(questions)

    one, two = drive(1.0, 0.0, 0.0, worth=1.0), drive(0.0, 0.0, 0.0)
    assert ask(Lane(wish=wish), Hears(1.0), [(one, two)]) == [1.0]

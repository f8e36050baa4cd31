"""Residents who discuss a plan in circles."""

from __future__ import annotations

from collections import Counter

import pytest

from posttrain.learners.planning.fishbowl import (
    ALIKE,
    BETTER,
    KEEP,
    WORSE,
    Resident,
    Town,
    changes,
    choose,
    circles,
    compared,
    discuss,
    judged,
    town,
)
from posttrain.learners.speaker import Scripted, Speaker

pytestmark = pytest.mark.paper("zhou2024gke")
PARKS, CLINICS = Resident("young", 0, (1.0, 0.0, 0.0, 0.0)), Resident("old", 2, (0.0, 0.5, 0.5, 0.0))


def test_golden():
    """A park at home is 1; a clinic one plot away 1/2, no school 0."""
    place = Town((PARKS, CLINICS), 3)
    assert PARKS.satisfaction((0, 1, 3)) == 1.0
    assert PARKS.satisfaction((1, 3, 0)) == pytest.approx(1 / 3)
    assert CLINICS.satisfaction((0, 1, 3)) == pytest.approx(0.5 * 0.5)
    assert place.satisfaction((0, 1, 3)) == pytest.approx(0.625)
    assert place.inclusion((0, 1, 3)) == pytest.approx(0.25)
    assert place.satisfaction(place.best()) == pytest.approx((1 + 0.5 + 0.25) / 2)


@pytest.mark.parametrize(("members", "size", "rounds"), [(6, 2, 6), (7, 3, 14), (4, 4, 3), (3, 5, 3)])
def test_circles_rotate(members, size, rounds):
    heard = circles(members, size, rounds, seed=1)
    assert [len(c) for c in heard] == [size] * rounds
    counts = Counter(m for c in heard for m in c)
    assert set(counts) == set(range(members))
    assert max(counts.values()) - min(counts.values()) <= 1
    if size <= members:
        assert all(len(set(c)) == size for c in heard)
    assert heard == circles(members, size, rounds, seed=1)


def test_changes_are_of_one_plot_or_two():
    found = changes((0, 1))
    assert len(found) == 1 + 2 * 3 + 1
    assert found[KEEP] == (0, 1)
    assert found["make plot 1 a shop"] == (0, 3)
    assert found["exchange plots 0 and 1"] == (1, 0)
    assert "exchange plots 0 and 1" not in changes((2, 2))
    assert len(changes((0, 1, 2, 3, 0))) == 26 - 1  # a server is asked about 26 at most


def test_a_speaker_that_is_right_improves_the_plan_step_by_step():
    place = town(3, residents=6, plots=3)
    plans = discuss(place, Scripted(1.0), (0, 0, 0), size=3, rounds=5, seed=0)
    assert len(plans) == 6
    assert place.satisfaction(plans[-1]) > place.satisfaction(plans[0])


@pytest.mark.parametrize(("difference", "said"), [(0.1, BETTER), (-0.1, WORSE), (0.0, ALIKE), (1e-12, ALIKE)])
def test_who_is_asked_says_what_a_change_is_for_them(difference, said):
    assert judged(difference) == said


def test_the_planner_takes_up_what_is_best_for_those_who_were_heard():
    place, options = Town((PARKS, CLINICS), 3), changes((3, 3, 3))
    wishes = ["make plot 0 a park", "make plot 2 a clinic", KEEP]
    assert choose(place, Scripted(1.0), (3, 3, 3), options, wishes, [0]) == wishes[0]
    assert choose(place, Scripted(1.0), (3, 3, 3), options, wishes, [1]) == wishes[1]
    assert choose(place, Scripted(0.0), (3, 3, 3), options, wishes[:2], [1]) == wishes[0]


class Wants(Speaker):
    """Everybody wants the same change; then they vote in turn."""

    def __init__(self, wish, *votes, takes=None):
        self.wish, self.votes, self.takes = wish, votes, takes
        self.asked = []

    def answer(self, questions):
        self.asked.append(questions)
        if questions[0].options[:2] == (BETTER, WORSE):
            return [self.votes[i % len(self.votes)] for i in range(len(questions))]
        return [self.takes or self.wish] if len(questions) == 1 else [self.wish] * len(questions)

    def probabilities(self, questions):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("votes", "made"),
    [
        ((BETTER,), True),
        ((BETTER, WORSE), False),
        ((WORSE,), False),
        ((BETTER, ALIKE, None, ALIKE), True),
        ((None,), False),
    ],
)
def test_a_change_is_made_if_it_is_better_for_more_than_it_is_worse_for(votes, made):
    place = town(0, residents=4, plots=2)
    plans = discuss(place, Wants("make plot 1 a shop", *votes), (0, 0), size=2, rounds=1, seed=0)
    assert plans == [(0, 0), (0, 3) if made else (0, 0)]


def test_nobody_votes_on_keeping_the_plan():
    speaker = Wants(KEEP, BETTER)
    assert discuss(town(0, residents=4, plots=2), speaker, (0, 1), size=2, rounds=1, seed=0) == [(0, 1), (0, 1)]
    assert len(speaker.asked) == 2
    assert speaker.asked[1][0].options == (KEEP,)


def test_towns_have_all_groups_and_needs_that_add_up():
    place = town(5, residents=6, plots=4)
    assert Counter(r.group for r in place.residents) == {"families": 2, "the old": 2, "workers": 2}
    assert all(sum(r.need) == pytest.approx(1) and 0 <= r.home < 4 for r in place.residents)
    assert place != town(6, residents=6, plots=4)


def test_discussion_against_none():
    made = compared(Scripted(1.0), [0, 1, 2], residents=6, plots=3, size=3, rounds=4)
    assert sum(made.helped) > sum(made.alone)
    assert made.numbers["best"] >= sum(made.helped) / 3
    assert made.numbers["inclusion"] <= sum(made.helped) / 3
    assert all(len(plans) == 5 for plans in made.kept)

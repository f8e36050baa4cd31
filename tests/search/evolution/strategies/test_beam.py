"""Beams: who gets children, and the best of n as one round."""

from __future__ import annotations

from dataclasses import replace

from posttrain.search.evolution.course import Ask, Strategy
from posttrain.search.evolution.strategies.beam import beam
from tests.search.evolution.numbers import Numbers


def asked(numbers):
    return [replace(what, number=-1) for kind, what in numbers.calls if kind == "write"]


def test_the_two_best_get_children():
    numbers = Numbers()
    archive = numbers.search(Strategy(beam, rounds=2, width=2, branching=2))
    assert asked(numbers)[:2] == [Ask("improve", (0,))] * 2
    (one, two) = sorted({a.parents[0] for a in asked(numbers)[2:]}, key=lambda n: -archive[n].value)
    assert (one, two) == tuple(c.number for c in sorted(archive.candidates[:3], key=lambda c: -c.value)[:2])


def test_one_round_without_parents_is_the_best_of_n():
    numbers = Numbers()
    archive = numbers.search(Strategy(beam, rounds=1, branching=5), ())
    assert asked(numbers) == [Ask("create")] * 5
    assert archive.survivors == [archive.best.number]


def test_where_nothing_works_candidates_have_no_parents():
    numbers = Numbers()
    numbers.search(Strategy(beam, rounds=1, width=3, branching=2, first=4), ("5",))
    assert asked(numbers) == [Ask("create")] * 4

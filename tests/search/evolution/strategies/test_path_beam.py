"""A beam over paths: what goes on, and when a search gets longer."""

import pytest

from posttrain.search.evolution.candidate import Evaluated, Proposed
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.driver import Evolution
from posttrain.search.evolution.strategies.path_beam import path_beam, path_value

pytestmark = pytest.mark.paper("singla2024dom")


def searched(values, given=("s",), **settings):
    """Children are numbered; their fitness is said by `values`, by number."""

    def write(asks, archive):
        for a in asks:
            yield Proposed(f"{a.operator} {a.number} of {a.parents[0]}")

    def evaluate(new):
        for c in new:
            yield Evaluated(values.get(c.number))

    return Evolution(write, evaluate).run(Strategy(path_beam, **settings), given)


def test_a_path_is_worth_the_mean_of_its_fitness():
    """Children 1, 2 of 0, then 3, 4 of 1 and 5, 6 of 2: the best number of the last round has the worse path."""
    values = {0: 3.0, 1: 5.0, 2: 1.0, 3: 3.5, 4: 2.0, 5: 4.0, 6: 1.0}
    archive = searched(values, rounds=2, width=2, branching=2)
    assert path_value(archive, archive[3]) == pytest.approx(11.5 / 3)
    assert archive.survivors == [3, 4]


def test_with_one_it_climbs_by_what_it_sees_last():
    values = {0: 5.0, 1: 2.0, 2: 3.0, 3: 1.0, 4: 4.0}
    assert searched(values, rounds=2, width=1, branching=2).survivors == [4]


def test_what_could_not_be_judged_does_not_go_on():
    archive = searched({0: 1.0, 2: 2.0, 3: 1.0, 4: 1.5}, rounds=2, width=2, branching=2)
    assert [c.parents for c in archive.round(2)] == [(2,), (2,)]
    assert archive.survivors == [4, 3]
    assert searched({0: 1.0}, rounds=3, width=2, branching=1).survivors == [0]
    assert searched({}, rounds=3).survivors == []


def test_what_is_good_enough_stays_and_the_search_gets_longer():
    values = {0: 4.8, 1: 4.6, 2: 4.0, 3: 4.2, 4: 5.0, 5: 5.0}
    archive = searched(values, rounds=2, width=1, branching=2, enough=4.5, extra=1)
    assert [c.operator for c in archive.candidates] == ["given", "keep", "keep", "improve", "improve"]
    assert archive.rounds == 3
    assert searched(values, rounds=2, width=1, branching=2, enough=4.5, extra=0).rounds == 2

"""Islands: they evolve apart, their mean never falls between resets, and migration settles the weaker half anew."""

from __future__ import annotations

from statistics import fmean

import pytest

from posttrain.search.evolution.candidate import Evaluated
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.elo import START
from posttrain.search.evolution.selection import admitted, best
from posttrain.search.evolution.strategies.islands import islands, migrated, paired
from tests.search.evolution.numbers import Numbers
from tests.search.evolution.test_selection import some


def search(**settings):
    return Numbers().search(Strategy(islands, **{"rounds": 4, "count": 2, "children": 3, **settings}), ())


def test_parents_are_of_the_same_island_and_the_first_round_has_none():
    archive = search(migration=0.0)
    for c in archive.candidates:
        assert all(archive[p].island == c.island and archive[p].round < c.round for p in c.parents)
        assert c.operator == ("create", "mutate", "cross")[len(c.parents)]
        assert bool(c.parents) == (c.round > 1)
    assert {c.operator for c in archive.candidates} == {"create", "mutate", "cross"}


def test_one_operator_alone():
    assert {c.operator for c in search(crossover=0.0).candidates} == {"create", "mutate"}
    assert {c.operator for c in search(crossover=1.0, migration=0.0, size=3).candidates} <= {"create", "cross"}


@pytest.mark.paper("hazra2024wjp")
def test_the_mean_of_an_island_never_falls_without_migration():
    """Members are rebuilt from the archive by the rule of admission."""
    archive = search(migration=0.0, size=2, rounds=6)
    for i in range(2):
        members = best([c for c in archive.round(1) if c.island == i], 2)
        means = [fmean(m.value for m in members)]
        for n in range(2, 7):
            for c in (c for c in archive.round(n) if c.island == i):
                members = admitted(members, c, 2)
                means.append(fmean(m.value for m in members))
        assert means == sorted(means)


def test_the_seed_is_its_randomness():
    assert search(seed=1).state() == search(seed=1).state() != search(seed=2).state()


def test_the_weaker_half_is_settled_with_one_that_is_not_the_best():
    strong, weak = some(9.0, 8.0, 7.0), some(1.0)
    settled = {migrated([strong, weak], seed)[1][0].value for seed in range(30)}
    assert settled == {8.0, 7.0}
    assert migrated([strong, weak], 0)[0] == strong
    assert migrated([[strong[0]], weak], 0)[1] == [strong[0]]
    assert migrated([[], []], 0) == [[], []]


def test_migrants_have_children_in_their_new_island():
    archive = search(migration=1.0)
    assert any(archive[p].island != c.island for c in archive.candidates for p in c.parents)


def test_with_matches_the_ratings_of_the_archive_are_the_fitness():
    """A judge that is right rates larger numbers higher; every new candidate plays, and none against itself."""
    numbers = Numbers()
    numbers.evaluate = lambda cs: [Evaluated(None if c.text == "5" else START) for c in cs]
    numbers.compare = lambda ms, archive: [float(int(archive[m.first].text) > int(archive[m.second].text)) for m in ms]
    archive = numbers.search(Strategy(islands, rounds=5, count=1, children=3, size=4, matches=3, migration=0.0), ())
    played = [c for c in archive.candidates if c.works and c.same_as is None]
    assert sum(c.value - START for c in played) == pytest.approx(0.0)
    assert played[0].value < START < max(played, key=lambda c: int(c.text)).value
    assert all(c.value == archive[c.same_as].value for c in archive.candidates if c.works and c.same_as is not None)
    pairs = paired(archive, archive.round(5), 2, 0)
    assert all(archive[p.first].text != archive[p.second].text for p in pairs)
    assert paired(archive, archive.round(5), 0, 0) == []

"""The archive: what a round brought, and that it is the same behind JSON."""

from __future__ import annotations

import json
from math import isnan

from posttrain.search.evolution.archive import Archive
from tests.search.evolution.numbers import Numbers


def test_it_is_the_same_behind_json():
    archive = Numbers().search()
    again = Archive.restored(json.loads(json.dumps(archive.state())))
    assert again.state() == archive.state()
    assert again.of(again.survivors) == archive.of(archive.survivors)


def test_what_a_round_brought():
    archive = Archive()
    archive.add("a", fitness=2.0)
    for text, fitness in (("b", 1.0), ("a", 2.0), ("c", None), (None, None)):
        archive.add(text, round=1, fitness=fitness)
    assert archive.metrics(1) == {
        "fitness/best": 2.0,
        "fitness/round_best": 2.0,
        "fitness/round_mean": 1.5,
        "proposals": 4,
        "proposals/unreadable": 1,
        "proposals/repeated": 1,
        "proposals/failed": 1,
    }
    assert (archive.best.number, archive.rounds, archive[2].same_as) == (0, 1, 0)
    assert archive.history() == [2.0, 2.0]


def test_where_nothing_works_there_is_no_best():
    archive = Archive()
    archive.add(None, round=1)
    assert archive.best is None
    assert isnan(archive.metrics(1)["fitness/best"])

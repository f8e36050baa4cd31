"""The loop of a search: each text is evaluated once, failures are never numbers, and nothing is asked twice."""

from __future__ import annotations

import json

import pytest

from posttrain.errors import ConfigError
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.budget import Budget
from posttrain.search.evolution.candidate import Evaluated
from posttrain.search.evolution.course import Ask, Match, Strategy
from posttrain.search.evolution.driver import Evolution, Watch
from posttrain.search.evolution.memory import Memory
from tests.harness.runs import Interrupt
from tests.search.evolution.numbers import CLIMB, Numbers


def rows(archive: Archive) -> str:
    return json.dumps(archive.state())


@pytest.mark.paper("ma2023vyo")
def test_the_best_survive_and_the_best_fitness_never_falls():
    archive = Numbers().search()
    assert archive.history() == sorted(archive.history())
    assert archive.survivors[0] == archive.best.number
    assert [archive[n].value for n in archive.survivors] == sorted(archive[n].value for n in archive.survivors)[::-1]
    assert len(archive.survivors) == 2
    assert [len(archive.round(n)) for n in range(4)] == [1, 2, 4, 4]


def test_what_fails_is_never_a_number_and_never_a_parent():
    archive = Numbers().search(Strategy(CLIMB.course, rounds=6, width=4, branching=3))
    unreadable = [c for c in archive.candidates if c.text is None]
    failed = [c for c in archive.candidates if c.text == "5"]
    assert unreadable
    assert failed
    bad = {c.number for c in (*unreadable, *failed)}
    assert all(archive[n].fitness is None for n in bad)
    assert all(c.problem == "seven" and c.same_as is None for c in unreadable)
    assert not any(bad & set(c.parents) for c in archive.candidates)


def test_a_text_that_comes_again_is_not_evaluated_again():
    numbers = Numbers()
    archive = numbers.search()
    evaluated = [what for kind, what in numbers.calls if kind == "evaluate"]
    assert len(evaluated) == len(set(evaluated)) < len([c for c in archive.candidates if c.text])
    for c in archive.candidates:
        if c.same_as is not None:
            assert (archive[c.same_as].text, archive[c.same_as].value) == (c.text, c.value)


def test_a_search_that_is_cut_anywhere_asks_nothing_twice_and_ends_the_same():
    whole = Numbers()
    expected = rows(whole.search())
    for cut in range(len(whole.calls)):
        kept = []
        first, second = Numbers(cut), Numbers()
        with pytest.raises(Interrupt):
            first.search(memory=Memory((), kept.append))
        assert rows(second.search(memory=Memory(json.loads(json.dumps(kept))))) == expected
        assert first.calls + second.calls == whole.calls


def test_a_search_that_has_changed_is_refused():
    kept = []
    Numbers().search(memory=Memory((), kept.append))
    with pytest.raises(ConfigError, match="its procedure has changed"):
        Numbers().search(Strategy(CLIMB.course, rounds=3, width=1, branching=4), (), memory=Memory(kept))


@pytest.mark.parametrize("budget", [Budget(proposals=3), Budget(evaluations=4), Budget(9, 4)])
def test_a_budget_ends_the_search_with_the_best(budget):
    numbers = Numbers()
    archive = numbers.search(budget=budget)
    counted = tuple(sum(kind == name for kind, _ in numbers.calls) for name in ("write", "evaluate"))
    assert counted == (3, 4)  # one was given
    assert archive.survivors == [archive.best.number]


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="proposals=0"):
        Budget(proposals=0)


def test_a_fitness_is_finite_or_none():
    with pytest.raises(ValueError, match="nan"):
        Evaluated(float("nan"))


def test_matches_are_kept_like_everything_else():
    def paired(archive: Archive, *, rounds: int):
        for _ in range(rounds):
            a, b = yield [Ask("create")] * 2
            (outcome,) = yield [Match(a.number, b.number)]
            a.report = {"won": outcome}
        return [a]

    kept, whole, again = [], Numbers(), Numbers()
    archive = whole.search(Strategy(paired, rounds=1), (), memory=Memory((), kept.append))
    assert archive[0].report == {"won": 0.0}
    assert rows(again.search(Strategy(paired, rounds=1), (), memory=Memory(kept))) == rows(archive)
    assert again.calls == []
    with pytest.raises(ConfigError, match="give the search `compare`"):
        Evolution(whole.write, whole.evaluate).run(Strategy(paired, rounds=1))


def test_its_progress_is_shown():
    seen = []

    class Shown(Watch):
        def phase(self, name, done, total):
            seen.append((name, done, total))

        def round(self, n, archive):
            seen.append(n)

    Numbers().search(Strategy(CLIMB.course, rounds=1), watch=Shown())
    writing = [("proposals", n, 4) for n in range(1, 5)]
    assert seen == [("evaluations", 1, 1), 0, *writing, *(("evaluations", n, 3) for n in range(1, 4)), 1]

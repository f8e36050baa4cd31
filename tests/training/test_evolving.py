"""A search over artefacts in a run directory: killed and resumed it asks nothing twice and leaves the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posttrain.launch.result import Result
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.strategies.islands import islands
from posttrain.training.session import Session
from tests.harness.runs import Interrupt, metrics, run
from tests.search.evolution.numbers import CLIMB, Numbers

NUMBERS = [Numbers()]  # what the procedure searches with
PROCEDURE = """from tests.training import test_evolving

def climb(session, prompts, *, search: str):
    \"\"\"Search, and search again from what was found.

    Settings:
        search: name of a function of this file.
    \"\"\"
    return getattr(test_evolving, search)(session, test_evolving.NUMBERS[0])
"""


def best(archive: Archive) -> str:
    assert archive.best is not None
    return str(archive.best.text)


def climb(session: Session, numbers: Numbers) -> dict[str, float]:
    archive = session.evolve("climb", CLIMB, numbers.write, numbers.evaluate, given=("1",))
    again = session.evolve("again", CLIMB, numbers.write, numbers.evaluate, given=(best(archive),))
    session.artefact("number.txt", best(again))
    session.artefact("archive", archive.state())
    return archive.metrics(archive.rounds)


def rated(session: Session, numbers: Numbers) -> dict[str, float]:
    judged = Strategy(islands, rounds=4, count=1, children=3, matches=2)
    archive = session.evolve("rated", judged, numbers.write, numbers.evaluate, compare=numbers.compare)
    session.evolve("again", CLIMB, numbers.write, numbers.evaluate)
    return archive.metrics(archive.rounds)


def climbed(
    monkeypatch: pytest.MonkeyPatch, folder: Path, numbers: Numbers, search: str = "climb", **how: Any
) -> Result:
    monkeypatch.setattr("tests.training.test_evolving.NUMBERS", [numbers])
    folder.mkdir(exist_ok=True)
    (folder / "climb.py").write_text(PROCEDURE)
    given = {
        "model": "tiny",
        "data": {"prompts": "arithmetic:chat=false,size=4"},
        "procedure": {"path": str(folder / "climb.py"), "search": search},
        "name": "run",
    }
    return run(given, folder, **how)


def test_killed_anywhere_it_asks_nothing_twice(monkeypatch, tmp_path):
    whole = Numbers()
    expected = climbed(monkeypatch, tmp_path / "whole", whole)
    for cut in (4, len(whole.calls) - 2):  # in the first search, and in the second
        first, second, folder = Numbers(cut), Numbers(), tmp_path / str(cut)
        with pytest.raises(Interrupt):
            climbed(monkeypatch, folder, first)
        resumed = climbed(monkeypatch, folder, second, resume=True)
        assert first.calls + second.calls == whole.calls
        assert metrics(resumed) == metrics(expected)
        for name in ("number.txt", "archive"):
            assert resumed.artefacts[name].read_bytes() == expected.artefacts[name].read_bytes()


def test_a_round_is_told_as_it_ended_whatever_later_matches_do(monkeypatch, tmp_path):
    """Ratings move until the end of the search, and the search has ended when the run is killed."""
    whole = Numbers()
    expected = climbed(monkeypatch, tmp_path / "whole", whole, "rated")
    with pytest.raises(Interrupt):
        climbed(monkeypatch, tmp_path / "cut", Numbers(len(whole.calls) - 2), "rated")
    resumed = climbed(monkeypatch, tmp_path / "cut", Numbers(), "rated", resume=True)
    assert metrics(resumed) == metrics(expected)


def test_every_round_is_a_step_and_the_archive_is_kept(monkeypatch, tmp_path):
    result = climbed(monkeypatch, tmp_path, Numbers())
    rows = metrics(result)
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[2]["fitness/best"] == result.metrics["fitness/best"]
    lines = (result.directory / "rounds" / "climb.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["asked"] == "more than (0,)?"
    assert not (result.directory / "rounds" / "climb.pieces.jsonl").exists()

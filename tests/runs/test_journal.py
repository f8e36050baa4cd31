"""What a run counts and keeps: at once, at its place, under its settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posttrain.errors import ConfigError, StorageError
from posttrain.runs.directory import RunDirectory
from posttrain.runs.directory_journal import KEPT, DirectoryJournal
from posttrain.runs.journal import Journal


def opened(folder: Path, *, resume: bool = False, settings: str = "a") -> DirectoryJournal:
    return DirectoryJournal(RunDirectory.create(folder, "run", {}, resume=resume), settings=settings)


def never() -> list[Any]:
    raise AssertionError("computed again")


def kept(folder: Path) -> DirectoryJournal:
    """A journal that ended, without any checkpoint, after it had kept two results."""
    journal = opened(folder)
    assert journal.once("rounds/a", lambda: [1, 2]) == [1, 2]
    journal.steps += 3
    assert journal.once("rounds/b", lambda: [{"x": 0.1}]) == [{"x": 0.1}]
    journal.close()
    return journal


def test_without_a_directory_everything_is_counted_and_nothing_written(tmp_path: Path) -> None:
    journal = Journal()
    assert (journal.writes, journal.folder) == (False, None)
    assert journal.once("rounds/a", lambda: [1]) == [1]
    with pytest.raises(ConfigError, match="rounds/a was made before"):
        journal.once("rounds/a", never)
    journal.finish(4)
    assert (journal.verb, journal.done(0)) == (1, False)
    journal.save(never)
    journal.write_metrics({"loss": 1.0})
    journal.close()
    with pytest.raises(ConfigError, match="no run directory"):
        journal.resume("latest")
    assert not list(tmp_path.iterdir())


def test_a_result_is_kept_before_any_checkpoint(tmp_path: Path) -> None:
    kept(tmp_path)
    journal = opened(tmp_path, resume=True)
    assert journal.resume("latest").startswith("nothing to resume")
    assert journal.once("rounds/a", never) == [1, 2]
    journal.steps += 3
    assert journal.once("rounds/b", never) == [{"x": 0.1}]
    journal.close()


def test_it_is_computed_again_at_another_place_or_under_other_settings(tmp_path: Path) -> None:
    kept(tmp_path)
    journal = opened(tmp_path, resume=True)
    journal.resume("latest")
    journal.steps += 1  # the procedure came another way
    assert journal.once("rounds/b", lambda: [2]) == [2]
    journal.close()
    other = opened(tmp_path, resume=True, settings="b")
    other.resume("latest")
    assert other.once("rounds/a", lambda: [5]) == [5]
    other.close()


def test_a_line_that_a_kill_has_torn_is_no_result(tmp_path: Path) -> None:
    kept(tmp_path)
    log = tmp_path / "run" / KEPT
    log.write_text(log.read_text()[:-9])
    journal = opened(tmp_path, resume=True)
    journal.resume("latest")
    assert journal.once("rounds/a", never) == [1, 2]
    journal.steps += 3
    assert journal.once("rounds/b", lambda: [7]) == [7]
    journal.close()


def test_a_result_whose_file_is_gone_is_an_error(tmp_path: Path) -> None:
    kept(tmp_path)
    (tmp_path / "run" / "rounds" / "a.jsonl").unlink()
    journal = opened(tmp_path, resume=True)
    journal.resume("latest")
    with pytest.raises(StorageError, match=r"a\.jsonl: cannot be read"):
        journal.once("rounds/a", never)
    journal.close()


PROCEDURE = """
from pathlib import Path

def ask(session, prompts, *, log="log"):
    for name in ("a", "b", "c"):
        session.collect(name, prompts, session.sampling(samples=2), rewards=())
        with Path(log).open("a") as file:
            file.write(name)
        if (Path(log).parent / "stop").exists() and name == "b":
            raise KeyboardInterrupt
    session.artefact("best", {"prompt": "1+1="})
    session.artefact("note.txt", "done")
"""


def test_a_procedure_without_a_stage_resumes_and_ends_with_its_artefacts(tmp_path: Path) -> None:
    from tests.harness.runs import SUMS, run

    (tmp_path / "ask.py").write_text(PROCEDURE)
    (tmp_path / "stop").touch()
    content = {
        "model": "tiny",
        "procedure": {"path": str(tmp_path / "ask.py"), "log": str(tmp_path / "log")},
        "data": {"prompts": f"{SUMS},size=2"},
        "name": "run",
    }
    with pytest.raises(KeyboardInterrupt):
        run(content, tmp_path / "runs", "sampling.max_tokens=2")
    files = {f.name: f.stat().st_mtime_ns for f in (tmp_path / "runs" / "run" / "rounds").iterdir()}
    assert set(files) == {"a.jsonl", "b.jsonl"}
    (tmp_path / "stop").unlink()
    result = run(content, tmp_path / "runs", "sampling.max_tokens=2", resume=True)
    after = {f.name: f.stat().st_mtime_ns for f in (result.directory / "rounds").iterdir()}
    assert {n: after[n] for n in files} == files  # asked for once
    assert (result.model, result.models) == (None, {})
    assert json.loads(result.artefacts["best"].read_text()) == {"prompt": "1+1="}
    assert result.artefacts["note.txt"].read_text() == "done"
    assert not (result.directory / "final").exists()

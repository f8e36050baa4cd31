"""The log of an attempt: what was said, how it ended, and never a reason to end a run."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.harness.runs import SAVED_EVERY_STEP, Interrupt, PowerCut, run

from posttrain.errors import ConfigError
from posttrain.runs.log import RunLog, listening

LIBRARY = logging.getLogger("posttrain")


@pytest.fixture(autouse=True)
def as_before() -> Any:
    before = LIBRARY.handlers[:], LIBRARY.level
    yield
    assert (LIBRARY.handlers, LIBRARY.level) == before


def without_times(text: str) -> list[str]:
    return [line if line.startswith("    ") else line.split(" ", 2)[2] for line in text.splitlines()]


def test_it_keeps_what_comes_before_its_file_and_appends(tmp_path: Path) -> None:
    file = tmp_path / "run.log"
    file.write_text("2026-01-01 00:00:00 NOTE there already\n")
    log = RunLog()
    logging.getLogger("posttrain.data").warning("%d rows", 3)
    log.open(file)
    log.say("NOTE", "two\nlines")
    log.close()
    logging.getLogger("posttrain.data").warning("after")
    said = without_times(file.read_text())
    assert said == ["NOTE there already", "WARNING posttrain.data: 3 rows", "NOTE two", "    lines"]


@pytest.mark.parametrize("when", ["opened", "written"])
def test_a_file_that_cannot_be_written_is_one_warning(
    when: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = RunLog()
    log.open(tmp_path / "nowhere" / "run.log" if when == "opened" else Path("/dev/full"))
    for _ in range(3):
        log.say("NOTE", "n")
    log.close()
    assert [r.getMessage().split(": ", 1)[1] for r in caplog.records] == [
        f"cannot be written: {'No such file or directory' if when == 'opened' else 'No space left on device'}; the run "
        "continues without it"
    ]


def test_a_program_without_logging_still_sees_warnings_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(logging, "lastResort", logging.StreamHandler(shown))
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs = [RunLog(), RunLog()]
    logging.lastResort.setLevel(logging.WARNING)  # type: ignore[union-attr]
    logging.getLogger("posttrain.data").warning("seen")
    logging.getLogger("posttrain.data").info("not seen")
    for log in logs:
        log.close()
    assert shown.getvalue() == "seen\n"


def test_a_failed_start_stops_listening() -> None:
    with pytest.raises(ConfigError), listening(True):
        raise ConfigError("x")
    with listening(False) as none:
        assert none is None


def test_each_attempt_has_its_own(tmp_path: Path) -> None:
    with pytest.raises(Interrupt):
        run({**SAVED_EVERY_STEP, "data": str(rows(tmp_path))}, tmp_path, display=PowerCut(2))
    run({**SAVED_EVERY_STEP, "data": str(rows(tmp_path))}, tmp_path, "train.steps=3", resume=True)
    first, second = ((tmp_path / "run" / "logs" / f"attempt_{n}" / "run.log").read_text() for n in (1, 2))
    assert "WARNING posttrain.data.notices: " in first  # from before the folder was made
    assert "'teller' is not read" in first
    assert " BEGIN attempt 1 of " in first
    assert " STAGE run  imitation/sft  tiny: steps 1 to 4\n" in first
    assert "Traceback (most recent call last):\n" in first
    assert first.splitlines()[-1].split(" ", 2)[2].startswith("END failed after ")
    assert " NOTE resuming from " in second
    assert " WARNING posttrain.runs.directory: resumed with train.steps: 3, was 4\n" in second
    assert without_times(second)[-1] == "END finished after 3 steps."


def rows(folder: Path) -> Path:
    file = folder / "rows.jsonl"
    row = '{{"prompt": "1+{0}=", "completion": "{0}", "teller": "a"}}\n'
    file.write_text("".join(row.format(n) for n in range(8)))
    return file

"""The switch that kills a run at a named moment."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from posttrain.errors import ConfigError
from posttrain.machine import kill_points

SOURCE = Path(kill_points.__file__).parents[1]


def ending(fault: str, *moments: tuple[str, int | None]) -> int:
    """The exit code of a process that reaches these phases, or begins these steps, in turn."""
    pid = os.fork()
    if pid == 0:
        os.environ[kill_points.VARIABLE] = fault
        kill_points.arm()
        for phase, step in moments:
            if phase == "begin":
                assert step is not None
                kill_points.at_step(step)
            else:
                kill_points.maybe_kill(phase, step)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_the_process_is_killed_at_its_phase_and_step_only() -> None:
    assert ending("backward:2", ("begin", 1), ("backward", None), ("begin", 2), ("data", None)) == 0
    assert ending("backward:2", ("begin", 2), ("backward", None)) == -signal.SIGKILL
    assert ending("config:0", ("config", None)) == -signal.SIGKILL
    assert ending("", ("config", None)) == 0


def test_a_checkpoint_knows_its_own_step() -> None:
    assert ending("save:2", ("begin", 3), ("save", 2)) == -signal.SIGKILL
    assert ending("save:3", ("begin", 3), ("save", 2)) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("backwards:2", "no phase 'backwards' (did you mean 'backward'?)"),
        ("backward", "write backward:3"),
        ("backward:x", "write backward:3"),
        (":1", "no phase ''"),
    ],
)
def test_a_mistake_is_an_error(text: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kill_points.VARIABLE, text)
    with pytest.raises(ConfigError, match=re.escape(said)):
        kill_points.arm()


def test_every_phase_is_reached_somewhere_and_no_other() -> None:
    sources = [f.read_text(encoding="utf-8") for f in SOURCE.rglob("*.py")]
    reached = {phase for text in sources for phase in re.findall(r'\bmaybe_kill\("(\w+)"', text)}
    assert reached == set(kill_points.PHASES)

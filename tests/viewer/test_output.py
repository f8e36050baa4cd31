"""A terminal or pipe that goes away takes nothing with it but the view."""

import io

import pytest
from rich.console import Console

from posttrain.viewer.live import LiveDisplay, open_display
from posttrain.viewer.plain import PlainDisplay
from tests.harness.runs import SHORT, SUMS, metrics, run, same_bits

TRAINED = {"model": "tiny", "method": "online/grpo", "data": SUMS, "rewards": ["exact_match"], "train": {"steps": 3}}
BRIEF = [f"{k}={v}" for k, v in SHORT.items()]


class Hangup(io.StringIO):
    """Takes so many writes; then nobody is there."""

    encoding = "utf-8"

    def __init__(self, writes: int, error: Exception, tty: bool) -> None:
        super().__init__()
        self.left, self.error, self.tty = writes, error, tty

    def isatty(self):
        return self.tty

    def write(self, text):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return super().write(text)


@pytest.mark.fault("F8")
@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), OSError(5, "EIO"), ValueError("closed file")])
@pytest.mark.parametrize(("tty", "kind"), [(False, PlainDisplay), (True, LiveDisplay)])
def test_a_display_that_nobody_reads_is_one_warning(tty, kind, error, caplog, monkeypatch):
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    display = open_display(Console(file=Hangup(2, error, tty), force_terminal=tty, width=100, height=40))
    assert isinstance(display, kind)
    with display:
        display.start("t", 9)
        for step in range(1, 10):
            display.step(step, {"reward": 1.0})
            display.sample("a", "b", 1.0)
            display.note("saved")
    assert [r.getMessage() for r in caplog.records] == [
        f"the display is closed ({error}); the run continues, see metrics.jsonl"
    ]


@pytest.mark.fault("F8")
def test_a_run_whose_display_fails_is_the_same_run(tmp_path):
    unseen = run(TRAINED, tmp_path / "unseen", *BRIEF)
    display = open_display(Console(file=Hangup(3, BrokenPipeError(32, "Broken pipe"), tty=False)))
    broken = run(TRAINED, tmp_path / "broken", *BRIEF, display=display)
    assert same_bits(unseen, broken)
    assert metrics(unseen) == metrics(broken)
    assert len(metrics(broken)) == 3

"""The display for log files and pipes: one line per step, a few seconds apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from posttrain.runs.metrics import Metric
from posttrain.viewer.display import Display
from posttrain.viewer.progress import Phase, Progress
from posttrain.viewer.terminal import duration, escaped, number

SHOWN = {
    "reward": "reward",
    "kl": "kl",
    "entropy": "entropy",
    "clip_ratio/region_mean": "clipped",
    "completions/mean_length": "length",
    "rewards/accuracies": "accuracy",
    "accuracy": "accuracy",
    "loss": "loss",
    "grad_norm": "grad",
    "learning_rate": "lr",
    "tokens_per_second": "tok/s",
}
PHASE_INTERVAL = 30.0  # seconds without a line after which a phase or a step writes one
SHARE = 20  # a run writes a line each twentieth of its steps, if they take longer than `interval`


class PlainDisplay(Display):
    """Lines like `step 10/200  reward 0.41  kl 0.003  left 1:20`.

    One for each twentieth of the steps, or every half minute, and at most one every `interval` seconds; besides these
    the first, the last and those with evaluation results.
    """

    def __init__(self, file: IO[str], interval: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.file = file
        self.interval = interval
        self.clock = clock
        self.progress: Progress | None = None
        self._written_at = 0.0
        self._written_step = 0
        self._said_stopping = False
        self._delayed: str | None = None  # the line of a step that came too soon after another one

    def start(self, title: str, total_steps: int, header: Sequence[str] = (), first_step: int = 0) -> None:
        self.progress = Progress(title, total_steps, self.clock(), step=first_step)
        for line in (title, *header):
            self._write(line)

    def step(self, step: int, metrics: Mapping[str, Metric]) -> None:
        assert self.progress is not None, "start() comes first"
        first = not self.progress.metrics
        now = self.clock()
        self.progress.update(step, metrics, now)
        self._delayed = self._line(metrics, now)
        evaluated = any(name.startswith("eval/") for name in metrics)
        waited = now - self._written_at
        share = step - self._written_step >= self.progress.total / SHARE
        due = waited >= self.interval and (share or waited >= PHASE_INTERVAL)
        self._say_stopping()
        if first or due or evaluated or step >= self.progress.total:
            self._flush()

    def phase(self, name: str, done: int, total: int) -> None:
        if self.progress is None:  # an evaluation may come before the first step
            return
        self.progress.phase = Phase(name, done, total)
        self._say_stopping()
        if self.clock() - self._written_at >= PHASE_INTERVAL:
            self._write(f"step {self.progress.step + 1}/{self.progress.total}  {name} {done}/{total}")

    def note(self, text: str) -> None:
        self._write(text)

    def close(self) -> None:
        if self.progress is None or self.progress.ended is not None:
            return
        self._flush()
        self.progress.ended = now = self.clock()
        done = self.progress.step >= self.progress.total
        how = "done" if done else f"stopped at step {self.progress.step}/{self.progress.total}"
        self._write(f"{how} after {duration(self.progress.elapsed(now))}")

    def _line(self, metrics: Mapping[str, Metric], now: float) -> str:
        assert self.progress is not None
        shown = [(label, metrics[name]) for name, label in SHOWN.items() if name in metrics]
        shown += [(name, value) for name, value in metrics.items() if name.startswith("eval/")]
        words = [f"step {self.progress.step}/{self.progress.total}"]
        words += [f"{label} {number(value)}" for label, value in shown]
        left = self.progress.remaining(now)
        if left is not None and self.progress.step < self.progress.total:
            words.append(f"left {duration(left)}")
        return "  ".join(words)

    def _say_stopping(self) -> None:
        """Answer a first Ctrl-C, once."""
        if self.stopping and not self._said_stopping:
            self._said_stopping = True
            self._write("stopping after this step; Ctrl-C again stops at once, without saving it")

    def _flush(self) -> None:
        if self._delayed is not None and self.progress is not None:
            self._write(self._delayed)
            self._delayed, self._written_step = None, self.progress.step

    def _write(self, line: str) -> None:
        encoding = getattr(self.file, "encoding", None) or "utf-8"
        safe = escaped(line).encode(encoding, "backslashreplace").decode(encoding)
        self.file.write(safe + "\n")
        self.file.flush()
        self._written_at = self.clock()

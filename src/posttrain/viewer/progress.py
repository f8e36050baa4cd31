"""The progress of a run, which every display shows in its own way."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from posttrain.runs.metrics import Metric
from posttrain.viewer.curves import Curve

WINDOW = 20  # latest steps, whose pace predicts the remaining time
PARTS = ("sampling", "rewards", "training")
SUMS = ("time/step", "time/total")  # sums of the other times


@dataclass(frozen=True)
class Phase:
    """Long work inside a step: `done` of `total` pieces."""

    name: str
    done: int
    total: int


@dataclass(frozen=True)
class Sample:
    """One answer of the model."""

    prompt: str
    completion: str
    reward: float | None


@dataclass
class Progress:
    """The state of a run for display. All times are seconds of one monotonic clock, `now` and `started` included.

    `marks`: (step, time) of the latest steps. `why`: the reason for an end before the last step. `stopping`: it comes
    after the step under way.
    """

    title: str
    total: int
    started: float
    header: Sequence[str] = ()
    step: int = 0
    metrics: dict[str, Metric] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    phase: Phase | None = None
    sample: Sample | None = None
    ended: float | None = None
    why: str = ""
    stopping: bool = False
    marks: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=WINDOW + 1))

    def __post_init__(self) -> None:
        self.marks.append((self.step, self.started))

    def update(self, step: int, metrics: Mapping[str, Metric], now: float) -> None:
        """Add the metrics of a step; several calls may belong to one step."""
        self.step, self.phase = step, None
        self.metrics.update(metrics)
        if step > self.marks[-1][0]:
            self.marks.append((step, now))
        for name, value in metrics.items():
            if isinstance(value, str) or value is None:
                continue
            if name.startswith("time/"):
                part = name.removeprefix("time/")
                self.seconds[part] = self.seconds.get(part, 0.0) + value
            else:
                self.curves.setdefault(name, Curve()).add(value)

    def elapsed(self, now: float) -> float:
        """Return the seconds from the start to now, or to the end."""
        return max((now if self.ended is None else self.ended) - self.started, 0.0)

    def remaining(self, now: float) -> float | None:
        """Return the remaining seconds at the pace of the latest steps; None before the first one."""
        (first, since), (last, until) = self.marks[0], self.marks[-1]
        if last == first or self.ended is not None:
            return None
        pace = (until - since) / (last - first)
        return max(pace * (self.total - last) - (now - until), 0.0)

    def shares(self) -> list[tuple[str, float]]:
        """Return each part's fraction of the measured time, with sampling, rewards and training first."""
        parts = {name: s for name, s in self.seconds.items() if f"time/{name}" not in SUMS and s > 0}
        whole = sum(parts.values())
        names = [name for name in PARTS if name in parts] + [name for name in parts if name not in PARTS]
        return [(name, parts[name] / whole) for name in names]

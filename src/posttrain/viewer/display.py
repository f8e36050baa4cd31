"""What a run tells the person who watches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType

from posttrain.runs.metrics import Metric


class Display:
    """Shows nothing: the display of a library call. The others, `live` and `plain`, fill in its methods."""

    def start(self, title: str, total_steps: int, header: Sequence[str] = (), first_step: int = 0) -> None:
        """The run begins, or goes on after `first_step`."""

    def step(self, step: int, metrics: Mapping[str, Metric]) -> None:
        """A step is done. Metrics of an evaluation may follow in a second call for the same step."""

    def phase(self, name: str, done: int, total: int) -> None:
        """Within a step, `done` of `total` pieces of some long work are finished."""

    def sample(self, prompt: str, completion: str, reward: float | None) -> None:
        """Something that the model said."""

    def note(self, text: str) -> None:
        """Something worth saying once: a checkpoint, a warning."""

    def close(self) -> None:
        """The run is over, finished or not. May be called twice."""

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""The interface of a display: the events of a run that a person may watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType

from posttrain.runs.metrics import Metric


class Display:
    """A display that shows nothing, for calls of the library. `LiveDisplay` and `PlainDisplay` override its methods.

    `stopping`: whether the run was asked to stop, so that it ends after the step under way.
    """

    stopping = False

    def start(self, title: str, total_steps: int, header: Sequence[str] = (), first_step: int = 0) -> None:
        """Begin a stage of `total_steps` steps, of which `first_step` are finished already."""

    def step(self, step: int, metrics: Mapping[str, Metric]) -> None:
        """Show the metrics of a finished step. Those of an evaluation may follow in a second call for the same step."""

    def phase(self, name: str, done: int, total: int) -> None:
        """Show the progress of long work inside a step: `done` of `total` pieces are finished."""

    def sample(self, prompt: str, completion: str, reward: float | None) -> None:
        """Show an answer of the model, with its reward if it has one."""

    def note(self, text: str) -> None:
        """Show a message once: a checkpoint, a warning."""

    def stop_after_step(self) -> None:
        """Remember that the run was asked to stop. A signal handler calls this, so nothing is written here."""
        self.stopping = True

    def end_early(self, why: str) -> None:
        """Show why the run ends before its last step."""
        self.note(why)

    def close(self) -> None:
        """End the display, whether the run is finished or not. May be called twice."""

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""A display whose notes are also written to the log of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from posttrain.runs.metrics import Metric
from posttrain.viewer.display import Display


class LoggedDisplay(Display):
    """Passes everything on to a display, and the titles of stages and all notes to `say` as well."""

    def __init__(self, shown: Display, say: Callable[[str, str], None]) -> None:
        self.shown = shown
        self.say = say

    @property
    def stopping(self) -> bool:  # type: ignore[override]
        """Whether the run was asked to stop."""
        return self.shown.stopping

    def start(self, title: str, total_steps: int, header: Sequence[str] = (), first_step: int = 0) -> None:
        self.say("STAGE", f"{title}: steps {first_step + 1} to {total_steps}")
        self.shown.start(title, total_steps, header, first_step)

    def step(self, step: int, metrics: Mapping[str, Metric]) -> None:
        self.shown.step(step, metrics)

    def phase(self, name: str, done: int, total: int) -> None:
        self.shown.phase(name, done, total)

    def sample(self, prompt: str, completion: str, reward: float | None) -> None:
        self.shown.sample(prompt, completion, reward)

    def note(self, text: str) -> None:
        self.say("NOTE", text)
        self.shown.note(text)

    def stop_after_step(self) -> None:
        self.shown.stop_after_step()

    def end_early(self, why: str) -> None:
        self.say("NOTE", why)
        self.shown.end_early(why)

    def close(self) -> None:
        self.shown.close()

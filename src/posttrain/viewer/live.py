"""The live view in a terminal, and the choice between it and plain lines."""

from __future__ import annotations

import codecs
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import IO, cast

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.text import Text

from posttrain.runs.metrics import Metric
from posttrain.viewer.display import Display
from posttrain.viewer.output import Output
from posttrain.viewer.panel import panel, status_line
from posttrain.viewer.plain import PlainDisplay
from posttrain.viewer.progress import Phase, Progress, Sample
from posttrain.viewer.terminal import escaped

MIN_WIDTH, MAX_WIDTH = 64, 120  # columns
MIN_HEIGHT = 20  # lines
MAX_SHOWN = 500  # characters of a prompt or an answer


def open_display(console: Console | None = None) -> Display:
    """Return the live view for a terminal that a person watches, plain lines for everything else.

    Plain lines go to files and pipes, to terminals that are small, dumb or cannot show Unicode, and wherever
    NO_COLOR is set.
    """
    console = console or Console()
    console.file = cast(IO[str], Output(console.file))
    watched = console.file.isatty() and console.is_terminal and not console.is_dumb_terminal
    roomy = console.width >= MIN_WIDTH and console.height >= MIN_HEIGHT
    if watched and roomy and not console.no_color and codecs.lookup(console.encoding).name == "utf-8":
        return LiveDisplay(console)
    return PlainDisplay(console.file)


class LiveDisplay(Display):
    """A panel that is redrawn four times a second; notes and log messages scroll by above it."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console
        self.clock = clock
        self.progress: Progress | None = None
        self._drawing = threading.Lock()  # a thread of its own draws the panel
        self._cursor_shown = False
        self._live = Live(console=console, get_renderable=self.draw, refresh_per_second=4)

    def start(self, title: str, total_steps: int, header: Sequence[str] = (), first_step: int = 0) -> None:
        self.progress = Progress(title, total_steps, self.clock(), header=tuple(header), step=first_step)
        self.progress.stopping = self.stopping
        self._live.start()

    def step(self, step: int, metrics: Mapping[str, Metric]) -> None:
        assert self.progress is not None, "start() comes first"
        with self._drawing:
            self.progress.update(step, metrics, self.clock())

    def phase(self, name: str, done: int, total: int) -> None:
        if self.progress is not None:  # an evaluation may come before the first step
            self.progress.phase = Phase(name, done, total)

    def sample(self, prompt: str, completion: str, reward: float | None) -> None:
        assert self.progress is not None, "start() comes first"
        self.progress.sample = Sample(prompt[-MAX_SHOWN:], completion[:MAX_SHOWN], reward)

    def note(self, text: str) -> None:
        self.console.print(Text(escaped(text)))

    def stop_after_step(self) -> None:
        super().stop_after_step()
        if self.progress is not None:
            self.progress.stopping = True

    def end_early(self, why: str) -> None:
        if self.progress is None:
            self.note(why)
        else:
            self.progress.why = why

    def close(self) -> None:
        if self.progress is not None and self.progress.ended is None:
            self.progress.ended = self.clock()
            self._live.stop()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.progress is not None and kind is not None:
            self.progress.why = str(error).partition("\n")[0] or kind.__name__
        super().__exit__(kind, error, trace)

    def draw(self) -> RenderableType:
        """Return the panel as it is now; one line where the terminal has become too small for it.

        Whatever goes wrong here is a line too: the run must not end for its picture.
        """
        if self.progress is None:
            return Text()
        if self.stopping and not self._cursor_shown:  # a second signal ends the process, and would leave it hidden
            self._cursor_shown = True
            self.console.show_cursor(True)
        width, height = min(self.console.width, MAX_WIDTH), self.console.height
        try:
            with self._drawing:
                if width < MIN_WIDTH or height < MIN_HEIGHT:
                    return status_line(self.progress, self.clock(), width)
                return Guarded(panel(self.progress, self.clock(), width, height))
        except Exception as error:  # noqa: BLE001
            return failure(error)


class Guarded:
    """A renderable whose errors become a line of text."""

    def __init__(self, inner: RenderableType) -> None:
        self.inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        try:
            yield from list(console.render(self.inner, options))
        except Exception as error:  # noqa: BLE001
            yield failure(error)


def failure(error: Exception) -> Text:
    """Return the line that stands in for a view that cannot be drawn."""
    text = f"the view cannot be drawn ({type(error).__name__}: {error}); the run continues, see metrics.jsonl"
    return Text(escaped(text), no_wrap=True, overflow="ellipsis")

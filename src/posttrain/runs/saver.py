"""Checkpoints written in the background of training: one at a time, with errors raised at the next step."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from posttrain.machine.disk import Files
from posttrain.machine.kill_points import maybe_kill
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.state import write_state

log = logging.getLogger(__name__)

STATE = "trainer_state"
NICE = 10  # added to the process's own; at 19 a checkpoint takes longer than a step, and training is no faster
# A state, and a function that writes the model into a folder and returns the tensors that it wrote.
Copy = tuple[Mapping[str, Any], Callable[[Path], Files]]


class Saver:
    """Writes copies of the state, taken between two steps, so that they do not change while they are written."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self.checkpoints = checkpoints
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def save(self, step: int, take: Callable[[], Copy]) -> None:
        """Start writing the checkpoint of a step once the previous one is complete; raise the error of that one.

        `take` makes the copy. A tensor of the state that is in the model's files is not stored a second time.
        """
        self.wait()
        state, write_model = take()
        maybe_kill("snapshot", step)
        self._thread = threading.Thread(target=self._run, args=(step, state, write_model), name=f"checkpoint-{step}")
        self._thread.start()

    def check(self) -> None:
        """Raise the error of a save that has ended."""
        if self._thread is not None and not self._thread.is_alive():
            self.wait()

    def wait(self) -> None:
        """Wait until nothing is being written; raise the error of the save."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def settle(self) -> None:
        """Wait until nothing is being written, and log an error of the save: the run ends for another reason."""
        try:
            self.wait()
        except Exception as error:  # noqa: BLE001 -- whatever it is, the other reason matters more
            log.warning("%s", error)

    def _run(self, step: int, state: Any, write_model: Callable[[Path], Files]) -> None:
        _lower_priority()
        try:
            known: dict[str, str] = {}
            with self.checkpoints.writing(step, known) as folder:
                stored = write_model(folder)
                maybe_kill("save", step)
                stored = {**stored, **write_state(folder, STATE, state, stored)}
                known |= {name: file.xxh3 for name, file in stored.items()}
                maybe_kill("saved", step)
        except BaseException as error:  # noqa: BLE001 -- raised again by the thread that trains
            self._failure = error


def _lower_priority() -> None:
    """Let training have the cores first."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        thread = os.PRIO_PROCESS, threading.get_native_id()
        with suppress(OSError):  # a container may forbid it
            os.setpriority(*thread, os.getpriority(*thread) + NICE)

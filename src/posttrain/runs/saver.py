"""Checkpoints written beside the training: one at a time, the error of one said at the next step."""

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
NICE = 10  # below the process's own priority; at 19 a checkpoint takes longer than a step, and training is no faster
# A state, and what writes the model into a folder and says which tensors it wrote.
Copy = tuple[Mapping[str, Any], Callable[[Path], Files]]


class Saver:
    """Writes what does not change while it is written: a copy of the state, taken between two steps."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self.checkpoints = checkpoints
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def save(self, step: int, take: Callable[[], Copy]) -> None:
        """Begin to write the checkpoint of a step, after the one before is complete; raises what went wrong with that.

        `take` makes the copy. A tensor of the state that the model's files hold is not stored a second time.
        """
        self.wait()
        state, write_model = take()
        maybe_kill("snapshot", step)
        self._thread = threading.Thread(target=self._run, args=(step, state, write_model), name=f"checkpoint-{step}")
        self._thread.start()

    def check(self) -> None:
        """Raise what went wrong with a save that has ended."""
        if self._thread is not None and not self._thread.is_alive():
            self.wait()

    def wait(self) -> None:
        """Until nothing is being written; raises what went wrong."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def settle(self) -> None:
        """Until nothing is being written; what went wrong is logged, since the run ends for another reason."""
        try:
            self.wait()
        except Exception as error:  # noqa: BLE001 -- whatever it was, the other reason comes first
            log.warning("%s", error)

    def _run(self, step: int, state: Any, write_model: Callable[[Path], Files]) -> None:
        _give_way()
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


def _give_way() -> None:
    """Let training come first, with the cores that it has."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        thread = os.PRIO_PROCESS, threading.get_native_id()
        with suppress(OSError):  # a container may forbid it
            os.setpriority(*thread, os.getpriority(*thread) + NICE)

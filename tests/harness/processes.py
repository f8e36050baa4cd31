"""Runs in processes of their own that start in milliseconds: a server that has imported everything forks each of them.

Use it where a run must be killed or interrupted; a run that ends by itself is tests/harness/runs.py.

python -m tests.harness.processes      one job a line (JSON) comes in; its process number goes out, then how it ended
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

from posttrain.data.chat import render

ROOT = Path(__file__).parents[2]


class ForkServer:
    """The server, seen from a test. One job at a time."""

    def __enter__(self) -> ForkServer:
        self._running = 0
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.harness.processes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._popen.stdin is not None
        self._end_what_a_test_left()
        self._popen.stdin.close()
        self._popen.wait()

    def start(self, content: dict[str, Any], output: Path, *, fault: str = "", resume: bool = False) -> int:
        """Begin a run; returns its process number. Its messages go to `output`/output.txt."""
        assert self._popen.stdin is not None
        self._end_what_a_test_left()
        job = {"content": content, "output": str(output), "fault": fault, "resume": resume}
        self._popen.stdin.write(json.dumps(job) + "\n")
        self._popen.stdin.flush()
        self._running = self._answer()
        return self._running

    def end(self) -> int:
        """Wait for the run; its exit code, or minus the signal that killed it."""
        code, self._running = self._answer(), 0
        return code

    def run(self, content: dict[str, Any], output: Path, *, fault: str = "", resume: bool = False) -> int:
        """Start and wait."""
        self.start(content, output, fault=fault, resume=resume)
        return self.end()

    def _end_what_a_test_left(self) -> None:
        if self._running:  # it has failed
            os.kill(self._running, signal.SIGKILL)
            self.end()

    def _answer(self) -> int:
        assert self._popen.stdout is not None
        return int(self._popen.stdout.readline())


def serve() -> None:
    """Fork a process for each job. Nothing is differentiated here: autograd cannot be forked."""
    import torch

    from posttrain.data.chat import template
    from posttrain.launch import run as launch  # noqa: F401 -- for the processes to find it
    from posttrain.models.loading import tiny

    torch.set_num_threads(1)
    template.Renderer = RenderedHere  # type: ignore[misc, assignment]
    tiny.WIDTH, tiny.LAYERS, tiny.ATTENTION_HEADS = 32, 1, 2
    tiny.tiny_model()  # and with it what transformers imports late
    render.render("{{ messages }}", [], False, False, {})
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os._exit(work(**json.loads(line)))
        say(pid)
        say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


class RenderedHere:
    """Renders without a process of its own, which takes half a second to start: as long as one of these runs."""

    def render(
        self, template: str, conversation: Any, answer_next: bool, variables: Any, *, continues: bool = False
    ) -> str:
        return render.render(template, list(conversation), answer_next, continues, dict(variables))

    def close(self) -> None:
        pass


def say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def work(content: dict[str, Any], output: str, fault: str, resume: bool) -> int:
    """One run, in its process; the exit code."""
    from posttrain.config.load import load
    from posttrain.errors import PosttrainError
    from posttrain.launch.run import launch
    from posttrain.machine.kill_points import VARIABLE

    os.environ[VARIABLE] = fault
    Path(output).mkdir(parents=True, exist_ok=True)
    with open(Path(output, "output.txt"), "a") as log, contextlib.redirect_stderr(log):
        try:
            launch(load(content, [f"output={output}"]), resume=resume)
        except PosttrainError as error:
            log.write(f"error: {error}\n")
            return error.exit_code
        except BaseException:
            log.write(traceback.format_exc())
            return 1
    return 0


if __name__ == "__main__":
    serve()

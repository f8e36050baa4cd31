"""The parent's side of the process that renders chat templates; a process that a template has ended is replaced."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from posttrain.data.chat import render
from posttrain.errors import DataError, ModelError

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # each thread would take memory that is limited


class Renderer:
    """One process, started when it is first needed and ended by `close`, or with this object. Threads take turns.

    `seconds`: CPU time for one conversation; `memory`: bytes of address space, libraries included.
    """

    def __init__(self, seconds: float = 10.0, memory: int = 512 * 2**20) -> None:
        self.seconds = seconds
        self.memory = memory
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._ending: weakref.finalize[..., Renderer] | None = None
        self._owner = 0

    def render(
        self,
        template: str,
        conversation: Sequence[Mapping[str, Any]],
        answer_next: bool,
        variables: Mapping[str, Any],
        *,
        continues: bool = False,
    ) -> str:
        """Return the conversation as text. Raises DataError that says what the template did instead.

        `answer_next`: with the words that call for an answer; `continues`: up to the last word of its last message. A
        template that is no Jinja is a ModelError: no conversation could be rendered.
        """
        asked = {"template": template, "conversation": list(conversation), "variables": dict(variables)}
        how = {"answer_next": answer_next, "continues": continues}
        with self._lock:
            reply = self._ask(json.dumps({**asked, **how}, default=str))
        if (fault := reply.get("fault", "")).startswith("TemplateSyntaxError"):
            raise ModelError(f"the chat template is not valid Jinja ({fault}); set model.chat_template to one that is")
        if fault:
            raise DataError(f"the chat template fails on this conversation ({reply['fault']})")
        return str(reply["text"])

    def close(self) -> None:
        """End the process. The next conversation starts another one."""
        with self._lock:
            self._end()

    def _ask(self, request: str) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(request + "\n")
            process.stdin.flush()
            if line := process.stdout.readline():
                return dict(json.loads(line))
        except BrokenPipeError:
            pass
        except BaseException:  # the pending reply would be taken for that to the next request
            self._end()
            raise
        code = self._end()
        slow = code == -signal.SIGPROF
        reason = f"computed for more than {self.seconds:g} s and was stopped" if slow else f"ended with code {code}"
        return {"fault": f"it {reason}"}

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            self._end()
            self._owner = os.getpid()  # a forked child must not read the replies of its parent
            self._process = subprocess.Popen(  # noqa: S603 -- our own file in the same Python
                [sys.executable, "-P", render.__file__, str(self.seconds), str(self.memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for us
                env={**os.environ, **ONE_THREAD},
            )
            self._ending = weakref.finalize(self, _terminate, self._process, self._owner)  # where `close` was forgotten
        return self._process

    def _end(self) -> int:
        code = self._ending() if self._ending is not None else None
        self._process = self._ending = None
        return code or 0


def _terminate(process: subprocess.Popen[str], owner: int) -> int:
    """Kill the process if it still runs, and return its exit code. Only the process that started it may end it."""
    if owner != os.getpid():
        return 0
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # buffered text that cannot be written any more
            pipe.close()  # type: ignore[union-attr]
    return process.wait()

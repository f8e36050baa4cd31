"""The sampler that draws with vLLM, in a process of its own, with weights that are handed over by version.

The trainer's process decides and the engine's draws (`answers.py`, `worker/`). Weights travel through shared memory
(`handover.py`). Every message of drawn tokens says the version of its weights: tokens of another one are an error.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from posttrain.backends.protocol import Learner, Sampler
from posttrain.backends.vllm.answers import Answers
from posttrain.backends.vllm.frames import Message
from posttrain.backends.vllm.handover import seal
from posttrain.backends.vllm.process import Channel, EngineError
from posttrain.errors import WorkerError
from posttrain.sampling.engine import Limits, check
from posttrain.sampling.occupancy import Occupancy, Step
from posttrain.sampling.request import (
    NEVER,
    POLICY,
    Arrivals,
    Completion,
    Distribution,
    OnFinished,
    Pause,
    Request,
)

RESTARTS = 3  # deaths of the engine's process that a run survives
SHARED = Path("/dev/shm")  # noqa: S108 -- memory that two processes see; a folder of ours is made in it

_log = logging.getLogger(__name__)


class VllmSampler(Sampler):
    """Samples the policy with an engine of another process; any other distribution with the sampler `local`.

    `start(folder)` starts the process, with files of its own in the folder. `settings` are arguments of vllm.LLM.
    `reader()` is what says how many tokens the policy can read.
    """

    def __init__(
        self,
        learner: Learner,
        local: Sampler,
        start: Callable[[Path], Channel],
        *,
        stop: frozenset[int] = frozenset(),
        slots: int = 64,
        settings: Message | None = None,
        reader: Callable[[], Limits] | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        self.learner = learner
        self.local = local
        self.start = start
        self.stop = stop
        self.slots = slots
        self.settings = {"max_num_seqs": slots, **(settings or {})}
        self.reader = reader
        self.progress = progress or (lambda *_: None)
        self.occupancy = Occupancy()
        self.version = self.steps = 0
        self.loaded: int | None = None  # the version that the engine has said to hold
        self.channel: Channel | None = None
        self.numbers = 0  # requests sent so far
        self.restarts = 0
        self.drew = False  # whether this process has drawn anything: if not, another one would fail likewise
        self.folder = Path(tempfile.mkdtemp(prefix="posttrain-", dir=SHARED if SHARED.is_dir() else None))
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def sync(self, version: int, steps: int) -> None:
        """Sample from this version from now on. The weights are handed over when they are first needed."""
        self.version, self.steps = version, steps
        self.local.sync(version, steps)

    def stop_at(self, tokens: frozenset[int]) -> None:
        """End answers at these tokens from now on."""
        self.stop = tokens
        self.local.stop_at(tokens)

    def generate(
        self,
        requests: Sequence[Request],
        source: Distribution = POLICY,
        pause: Pause = NEVER,
        on_finished: OnFinished | None = None,
        arrivals: Arrivals | None = None,
    ) -> list[Completion]:
        """Sample one completion per request. Raises WorkerError for tokens that other weights have drawn."""
        if source != POLICY:
            return self.local.generate(requests, source, pause, on_finished, arrivals)
        self._check(0, requests)
        self._hand_over()
        answers = Answers(self.numbers, self.steps, self.stop, pause, on_finished)
        try:
            self._begin(answers, requests)
            while self._goes_on(answers, arrivals):
                self._step(answers)
        finally:
            self.numbers += len(answers.requests)
            self._cancel(answers.suspend())
        return answers.completions()

    def _check(self, first: int, requests: Sequence[Request]) -> None:
        """Raise ModelError for a request that the policy cannot read, before it is sent."""
        if self.reader is not None:
            for number, request in enumerate(requests, first):
                check(number, request, [self.reader()])

    def _goes_on(self, answers: Answers, arrivals: Arrivals | None) -> bool:
        """Begin what has arrived. Returns False when enough is finished."""
        if answers.enough:
            return False
        if arrivals is not None and (new := arrivals.take(wait=not answers.running)):
            self._check(len(answers.requests), new)
            self._begin(answers, new)
        return bool(answers.running)

    def _begin(self, answers: Answers, requests: Sequence[Request]) -> None:
        asked = answers.add(requests)
        try:
            self._send({"verb": "add", "requests": asked})
        except WorkerError as error:
            self._again(answers, error)

    def _step(self, answers: Answers) -> None:
        """Take the tokens of one step of the engine; if it is gone, start another that goes on from there."""
        running = len(answers.running)
        try:
            message = self._receive()
        except WorkerError as error:
            self._again(answers, error)
            return
        if message["version"] != self.version:
            raise self._stale(message["version"])
        self.drew = True
        self._cancel(answers.take(message["drawn"]))
        self.occupancy.count(Step(len(message["drawn"]), min(self.slots, running), running > self.slots))
        self.progress("sampling", len(answers.done), len(answers.requests))

    def _stale(self, version: int) -> WorkerError:
        """The error of an engine that holds other weights. No other engine takes its place: something is wrong."""
        self._end()
        return WorkerError(
            f"sampler: the engine draws with version {version} of the weights, and version {self.version} was handed "
            "over; its tokens are not used. Resume from the last checkpoint, and report this"
        )

    # ---- the engine's process

    def _again(self, answers: Answers, error: WorkerError) -> None:
        """Let another process go on from the last tokens. It draws the same ones: they depend on seed and place."""
        self._replace(error)
        self._send({"verb": "add", "requests": [answers.asked(number) for number in answers.running]})

    def _replace(self, error: WorkerError) -> None:
        """Start another process, with the weights that were synced, in place of one that is gone.

        Raises the error if the process had not drawn anything, or if too many have gone.
        """
        self.restarts += 1
        if not self.drew or self.restarts > RESTARTS:
            self._end()
            raise error
        _log.warning("%s; another one takes its place (%d of %d)", error, self.restarts, RESTARTS)
        self._end()
        self._load()

    def _hand_over(self) -> None:
        """Bring the engine to the version that was synced.

        If its process is gone, another one is started. Raises WorkerError for weights that the engine refuses.
        """
        if self.loaded == self.version:
            return
        try:
            self._load()
        except EngineError:
            self._end()
            raise
        except WorkerError as error:
            self._replace(error)

    def _load(self) -> None:
        """Hand the weights to the engine. Raises WorkerError unless it says that it has this version."""
        folder = self.folder / f"version-{self.version}"
        self.learner.save("policy", folder)
        seal(folder, self.version)
        message: dict[str, Any] = {"folder": str(folder), "version": self.version}
        if self.channel is None:
            self.channel = self.start(self.folder)
            message["settings"] = self.settings
        self._send({"verb": "load", **message})
        while (reply := self._receive()).get("loaded") is None:
            continue  # tokens of answers that were cancelled
        shutil.rmtree(folder, ignore_errors=True)
        if reply["loaded"] != self.version:
            raise self._stale(reply["loaded"])
        self.loaded = self.version

    def _send(self, message: Message) -> None:
        assert self.channel is not None
        self.channel.send(message)

    def _receive(self) -> Message:
        assert self.channel is not None
        return self.channel.receive()

    def _cancel(self, numbers: Sequence[int]) -> None:
        """Let the engine forget answers. If it is gone, the next message to it says so."""
        if numbers and self.channel is not None:
            with suppress(WorkerError):
                self._send({"verb": "cancel", "numbers": list(numbers)})

    def _end(self) -> None:
        if self.channel is not None:
            self.channel.close()
        self.channel, self.loaded = None, None
        self.drew = False

    # ---- memory and metrics

    def release(self) -> None:
        """Free the caches of this process. The engine keeps its memory; its share is a setting of its own."""
        self.local.release()

    def metrics(self) -> dict[str, float]:
        """Return the slot utilisation since the last call."""
        return self.local.metrics() | self.occupancy.metrics()

    def close(self) -> None:
        """End the engine's process and free the shared memory."""
        self._end()
        self._remove()

"""The whole way of a request to an engine and back, without vLLM: the loop of the worker runs in a thread.

Its engine is the native one, with the weights that were handed over. Faults are methods of a subclass.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.sampler import LocalSampler
from posttrain.backends.vllm.frames import Inbox, pack
from posttrain.backends.vllm.handover import opened
from posttrain.backends.vllm.process import Channel, EngineError
from posttrain.backends.vllm.sampler import VllmSampler
from posttrain.backends.vllm.worker.rows import Rows
from posttrain.backends.vllm.worker.serve import Engine, serve
from posttrain.core.rows import Rows as FlatRows
from posttrain.errors import WorkerError
from tests.models.tiny import network


class Running:
    """An answer that is being drawn."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self.output: list[int] = []

    @property
    def over(self) -> bool:
        r = self.request
        ended = bool(self.output) and self.output[-1] in r["stop"]
        return ended or r["before"] + len(self.output) == r["total"]


class OneByOne(Engine):
    """Reads all answers again at every step and draws a token for each, with the worker's own `Rows`."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.network = network(seed=9)
        self.slots = start["settings"]["max_num_seqs"]
        self.running: dict[int, Running] = {}
        self.held = -1
        self.load(Path(start["folder"]), start["version"])

    @property
    def version(self) -> int:
        return self.held

    @property
    def busy(self) -> bool:
        return bool(self.running)

    def add(self, request: dict[str, Any]) -> None:
        self.running[request["number"]] = Running(request)

    def cancel(self, numbers) -> None:
        for number in numbers:
            self.running.pop(number, None)

    @torch.no_grad()
    def step(self):
        batch = list(self.running.items())[: self.slots]
        texts = [[*r.request["tokens"], *r.output, 0] for _, r in batch]  # the last one is what is asked for
        index = torch.arange(len(texts)).repeat_interleave(torch.tensor([len(t) for t in texts]))
        tokens = torch.tensor([t for text in texts for t in text])
        flat = FlatRows(index, torch.ones(len(tokens), dtype=torch.bool), len(texts))
        logits = self.network.outputs(tokens, flat, ["logits"])["logits"]
        rows = Rows()
        rows.update([], [(i, r.request, r.output) for i, (_, r) in enumerate(batch)], [])
        left = rows.draw(logits[torch.tensor([len(t) for t in texts]).cumsum(0) - 1])
        logp, drawn = left.max(-1)
        for (number, running), token in zip(batch, drawn.tolist(), strict=True):
            running.output.append(token)
            if running.over:
                del self.running[number]
        return [(n, t, x) for (n, _), t, x in zip(batch, drawn.tolist(), logp.tolist(), strict=True)]

    def load(self, folder: Path, version: int) -> None:
        weights = dict(opened(folder, version))
        missing, unexpected = self.network.trunk.load_state_dict(weights, strict=False)
        assert not unexpected
        assert set(missing) <= {"lm_head.weight"}
        self.held = version

    def forget(self) -> None:
        pass


class Loopback(Channel):
    """Two pipes, and the worker's loop in a thread."""

    def __init__(self, engine: Callable[[dict[str, Any]], Engine] = OneByOne) -> None:
        (reads, self.out), (mine, replies) = os.pipe(), os.pipe()
        self.inbox = Inbox(mine)
        self.open = True

        def reply(message) -> None:
            os.write(replies, pack(message))

        def run() -> None:
            torch.set_default_dtype(torch.float64)
            with suppress(Exception):
                serve(engine, Inbox(reads), reply)
            os.close(replies)
            os.close(reads)

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def send(self, message) -> None:
        try:
            os.write(self.out, pack(message))
        except OSError:
            raise WorkerError("it is gone") from None

    def receive(self):
        try:
            message = self.inbox.read(20)
        except EOFError:
            raise WorkerError("it is gone") from None
        assert message is not None, "it hangs"
        if "error" in message:
            raise EngineError(message["error"])
        return message

    def close(self) -> None:
        if self.open:
            self.open = False
            os.close(self.out)
            self.thread.join(20)
            os.close(self.inbox.descriptor)


class NoTokenizer:
    """There is no text in these tests."""

    def save_pretrained(self, folder) -> None:
        pass


def made(engine: Callable[[dict[str, Any]], Engine] = OneByOne, **settings):
    """A learner, and a sampler whose engine is at the other end of a loop."""
    learner = LocalLearner({"policy": network()}, tokenizer=NoTokenizer(), **settings)
    local = LocalSampler(learner.models, slots=4)
    return learner, VllmSampler(
        learner, local, lambda _: Loopback(engine), slots=4, reader=lambda: learner.models["policy"]
    )

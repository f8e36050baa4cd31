"""How busy the slots are while tools work: episodes of several turns whose tools take a while, in threads.

    python benchmarks/arrivals.py [--model tiny] [--episodes 256] [--slots 64]

Tools sleep for a log-normal time of mean 0.2 s (σ = 1), turns have a log-normal number of tokens. `ours`: turns join
the running batch as their tools answer. `peer`: turns in step, each once the slowest tool has answered in all episodes.
The numbers are the shares of slots that are busy until 95% of the episodes are over (none while the engine waits for
tools), and the seconds.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import threading
import time
from collections.abc import Sequence

import torch

from posttrain.models.loading.load import load
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import Completion, Request

USER = 16  # tokens of what a tool answers
LATENCY, SIGMA = 0.2, 1.0


class Episodes:
    """Episodes whose tools answer from threads. `in_step`: turns wait for each other."""

    def __init__(self, engine: Engine, a: argparse.Namespace, *, in_step: bool) -> None:
        self.engine, self.a, self.in_step = engine, a, in_step
        self.arrived: queue.Queue[tuple[int, int, Request]] = queue.Queue()
        self.asked: list[tuple[int, int, Request]] = []
        self.over = self.underway = 0
        self.busy = self.idle = 0.0
        self.start = time.perf_counter()
        for i in range(a.episodes):
            self._ask(i, 0, tuple(5 + (7 * i + k) % 200 for k in range(24)))

    def _ask(self, episode: int, turn: int, prompt: tuple[int, ...]) -> None:
        drawn = random.Random(1000 * turn + episode)
        length = max(1, round(self.a.tokens * drawn.lognormvariate(-0.18, 0.6)))
        made = episode, turn, Request(prompt, drawn.getrandbits(40), length, keep=True)
        self.underway += 1
        if turn:
            threading.Timer(LATENCY * drawn.lognormvariate(-(SIGMA**2) / 2, SIGMA), self.arrived.put, [made]).start()
        else:
            self.arrived.put(made)

    @property
    def away(self) -> int:
        return self.underway

    def take(self, wait: bool) -> Sequence[Request]:
        made: list[tuple[int, int, Request]] = []
        if self.in_step and not wait:
            return []
        began = time.perf_counter()
        while self.underway and (not self.arrived.empty() or (wait and (self.in_step or not made))):
            made.append(self.arrived.get())
            self.underway -= 1
        self.idle += time.perf_counter() - began
        self.asked += made
        return [request for *_, request in made]

    def finished(self, number: int, completion: Completion) -> bool:
        episode, turn, request = self.asked[number]
        if turn + 1 < self.a.turns:
            said = tuple(5 + (episode + turn + k) % 200 for k in range(USER))
            self._ask(episode, turn + 1, request.prompt + completion.tokens + said)
        else:
            self.over += 1
            if self.over == round(0.95 * self.a.episodes):
                working = 1 - self.idle / (time.perf_counter() - self.start)
                self.busy = working * self.engine.occupancy.metrics()["sampling/occupancy"]
        return False


def played(a: argparse.Namespace, *, in_step: bool) -> tuple[float, float]:
    """The share of busy slots, and the seconds of all episodes."""
    engine = Engine({"policy": load(a.model).network}, frozenset(), a.slots)
    episodes = Episodes(engine, a, in_step=in_step)
    start = time.perf_counter()
    engine.generate([], on_finished=episodes.finished, arrivals=episodes)
    return episodes.busy, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny")
    for name, default in (("episodes", 256), ("turns", 4), ("tokens", 32), ("slots", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    a = parser.parse_args()
    torch.set_num_threads(1)
    ours, peer = played(a, in_step=False), played(a, in_step=True)
    for name, (busy, seconds) in (("ours", ours), ("in step", peer)):
        print(f"{name}: {busy:.1%} of {a.slots} slots busy, {seconds:.1f} s")
    print(f"RESULT {json.dumps({'ratio': ours[0] / peer[0], 'ours': ours, 'peer': peer, 'unit': 'share of slots'})}")


if __name__ == "__main__":
    main()

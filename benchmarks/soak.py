"""A long run of the tiny GRPO: does memory grow, do processes, threads or descriptors pile up?

    python benchmarks/soak.py [--steps 2000] [--every 20] [--save-every 10]

A checkpoint every ten steps, metrics every step, samples every ten, rewards in worker processes. What is read after the
first tenth (warm-up) is compared with what is read in the last tenth, medians of both.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from posttrain.config.load import load
from posttrain.launch.run import launch
from posttrain.viewer.display import Display

CONTENT: dict[str, Any] = {
    "model": "tiny",
    "method": {"path": "online/grpo", "kl.weight": 0},
    "data": "reverse_text:chat=false,size=512",
    "rewards": ["exact_match"],
    "sampling": {"max_tokens": 6, "samples": 4},
    "train": {"prompts_per_step": 4, "learning_rate": 1e-4, "samples_every": 10},
}
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Reading:
    """What the process holds after a step: bytes in memory, and how many of each."""

    step: int
    memory: int
    descriptors: int
    threads: int
    processes: int

    @classmethod
    def now(cls, step: int) -> Reading:
        tasks = os.listdir("/proc/self/task")
        children = {child for task in tasks for child in _children(task)}
        memory = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
        return cls(step, memory, len(os.listdir("/proc/self/fd")), len(tasks), len(children))


def _children(task: str) -> list[str]:
    try:
        return Path(f"/proc/self/task/{task}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
        return []


class Readings(Display):
    """Takes a reading every so many steps."""

    def __init__(self, every: int, show: bool = False) -> None:
        self.every, self.show = every, show
        self.taken: list[Reading] = []

    def step(self, step: int, metrics: object) -> None:  # noqa: ARG002
        if step % self.every == 0:
            self.taken.append(Reading.now(step))
            if self.show:
                print(*asdict(self.taken[-1]).values(), flush=True)


def soak(steps: int, every: int, save_every: int, folder: Path, show: bool = False) -> list[Reading]:
    """Train for so many steps and read every so many."""
    readings = Readings(every, show)
    train = [f"train.steps={steps}", f"train.save_every={save_every}"]
    launch(load({**CONTENT, "output": str(folder)}, train), display=readings)
    return readings.taken


def growth(taken: list[Reading]) -> dict[str, float]:
    """Of memory, as a fraction; of the rest, as a number: the last tenth against the one after the first."""
    tenth = max(1, len(taken) // 10)
    early, late = taken[tenth : 2 * tenth], taken[-tenth:]

    def middle(readings: list[Reading], name: str) -> float:
        return median(getattr(r, name) for r in readings)

    counts = {n: middle(late, n) - middle(early, n) for n in ("descriptors", "threads", "processes")}
    return {"memory": middle(late, "memory") / middle(early, "memory") - 1, **counts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--save-every", type=int, default=10)
    options = parser.parse_args()
    print("step memory descriptors threads processes")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        taken = soak(options.steps, options.every, options.save_every, Path(folder), show=True)
    after = Reading.now(options.steps)
    facts = {"steps": options.steps, "seconds": round(time.monotonic() - began, 1), "growth": growth(taken)}
    left = {"processes": after.processes, "descriptors": after.descriptors, "threads": after.threads}
    print("RESULT", json.dumps({**facts, "memory_mib": round(taken[-1].memory / 2**20, 1), "after_the_run": left}))


if __name__ == "__main__":
    main()

"""What a checkpoint at every step costs on SmolLM2-135M, written beside the training.

    python benchmarks/checkpoints.py [--kind grpo|sft] [--pairs 10] [--prompts 8] [--folder .]

bf16 weights, float32 masters and moments: 1.9 GB a checkpoint. One run that saves after every other step, so that steps
beside which a checkpoint is written alternate with others; the first five, in which the memory for the copies is
allocated, warm up and are left out. `boundary` is the time in which training stands still (copying, and waiting for a
checkpoint that is not written yet); the rest of the overhead is the processor and memory that writing and hashing take.
`overhead` is the mean over the steps with a checkpoint of how much longer they took than the two beside them.
`writing` is how long a checkpoint takes: at every step it would have to be shorter than a step.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from grpo_step import TOPICS, vowels

from posttrain.config.load import load
from posttrain.data.dataset import from_rows
from posttrain.launch.run import open_session
from posttrain.rewards.reward import resolve
from posttrain.runs.saver import Saver
from posttrain.viewer.display import Display

WARM_UP = 5  # steps; an odd number, since the even ones are saved
STORY = "Once upon a time there was a lighthouse by the sea, and in it lived a keeper who could not sleep. " * 2


def prompts(count: int) -> list[list[dict[str, str]]]:
    things = [TOPICS[i % len(TOPICS)] for i in range(count)]
    return [[{"role": "user", "content": f"Tell long story {i} about {t}."}] for i, t in enumerate(things)]


class Marks:
    """Moments between steps, in which the training stood still so long before each, and what the writing took."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.still: list[float] = []
        self.writing: list[float] = []
        self.processor: list[float] = []

    @property
    def steps(self) -> list[float]:
        """Seconds of the steps after the warm-up: without and with in turn."""
        return [b - a for a, b in pairwise(self.moments[WARM_UP - 1 :])]


class Watch(Display):
    def __init__(self, marks: Marks) -> None:
        self.marks = marks

    def step(self, step: int, metrics: Mapping[str, Any]) -> None:  # noqa: ARG002
        self.marks.moments.append(time.perf_counter())
        self.marks.still.append(float(metrics.get("time/saving", 0.0)))  # of the boundary before this step


def watch_writing(marks: Marks) -> None:
    """Lets the thread that writes a checkpoint note its seconds, and those of the processor."""
    write = Saver._run

    def noted(self: Saver, *given: Any) -> None:
        began, used = time.perf_counter(), time.thread_time()
        write(self, *given)
        marks.writing.append(time.perf_counter() - began)
        marks.processor.append(time.thread_time() - used)

    Saver._run = noted  # type: ignore[method-assign]


def run(options: argparse.Namespace, folder: Path) -> tuple[Marks, int]:
    """Steps of one run, and the bytes of its newest checkpoint."""
    marks, count = Marks(), options.prompts
    watch_writing(marks)
    method = {"path": "online/grpo", "kl.weight": 0} if options.kind == "grpo" else "imitation/sft"
    steps = 2 * options.pairs + 1 + WARM_UP
    content = {
        "model": "smollm2",
        "method": method,
        "data": "arithmetic",
        "sampling": {"samples": 8, "max_tokens": 64, "slots": 128},
        "train": {"steps": steps, "prompts_per_step": count, "learning_rate": 1e-6, "save_every": 2},
        "output": str(folder),
    }
    rows = [{"prompt": p} for p in prompts(count)]
    if options.kind == "sft":
        told = [{"role": "assistant", "content": STORY}]
        rows = [{"prompt": p, "completion": told} for p in prompts(4 * count)]
        content["train"] |= {"prompts_per_step": len(rows)}
    data = from_rows(rows, "prompts" if options.kind == "grpo" else "demonstrations")
    settings = load(content)
    with open_session(settings, display=Watch(marks)) as session:
        assert settings.method is not None
        rewards = [resolve(vowels)] if options.kind == "grpo" else ()
        session.train(settings.method.path, data, settings=settings.method.settings, rewards=rewards)
    saved = sorted(folder.glob("*/latest/*"))
    return marks, sum(f.stat().st_size for f in saved if f.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("grpo", "sft"), default="grpo")
    parser.add_argument("--folder", type=Path, help="where the checkpoints are written; by default a temporary folder")
    for name, default in (("pairs", 10), ("prompts", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        marks, size = run(options, Path(folder))
    without, with_ = marks.steps[0::2], marks.steps[1::2]
    still = marks.still[WARM_UP + 1 :: 2]
    for name, numbers in (("without", without), ("with", with_), ("boundary", still), ("writing", marks.writing)):
        print(f"{name:8}", *(f"{s:.2f}" for s in numbers))
    beside = [
        2 * saved / (before + after) - 1 for before, saved, after in zip(without[:-1], with_, without[1:], strict=True)
    ]
    facts = {"kind": options.kind, "without": median(without), "with": median(with_)}
    facts |= {"overhead": mean(beside), "standard_error": stdev(beside) / len(beside) ** 0.5}
    facts |= {"boundary": median(still), "writing": median(marks.writing), "processor": median(marks.processor)}
    print("RESULT", json.dumps({**facts, "bytes": size, "unit": "s/step", "repeats": len(with_)}))


if __name__ == "__main__":
    main()

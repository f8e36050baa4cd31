"""What a checkpoint at every step costs on SmolLM2-135M, written beside the training: steps with and without.

    python benchmarks/checkpoints.py [--kind grpo|sft] [--steps 4] [--repeats 2] [--folder .]

bf16 weights, float32 masters and moments: 1.9 GB a checkpoint. Runs without and with checkpoints take turns; the first
step of each warms up and is left out. `boundary` is the time in which training stands still (copying, and waiting for a
checkpoint that is not written yet); the rest of the overhead is the processor and memory that writing and hashing take.
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
from statistics import median
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from grpo_step import TOPICS, vowels

STORY = "Once upon a time there was a lighthouse by the sea, and in it lived a keeper who could not sleep. " * 2


def prompts(count: int) -> list[list[dict[str, str]]]:
    things = [TOPICS[i % len(TOPICS)] for i in range(count)]
    return [[{"role": "user", "content": f"Tell long story {i} about {t}."}] for i, t in enumerate(things)]


class Marks:
    """Moments between steps, and the seconds in which the training stood still before each."""

    def __init__(self) -> None:
        self.moments = [time.perf_counter()]
        self.still: list[float] = []

    @property
    def steps(self) -> list[float]:
        """Seconds of each step but the first."""
        return [b - a for a, b in pairwise(self.moments[1:])]


def run(options: argparse.Namespace, folder: Path, *, save: bool) -> tuple[Marks, int]:
    """Steps of one run, and the bytes of its newest checkpoint."""
    from posttrain.config.load import load
    from posttrain.data.dataset import from_rows
    from posttrain.launch import open_session
    from posttrain.rewards.reward import resolve
    from posttrain.runs.display import Display

    marks = Marks()

    class Watch(Display):
        def step(self, step: int, metrics: Mapping[str, Any]) -> None:  # noqa: ARG002
            marks.moments.append(time.perf_counter())
            marks.still.append(float(metrics.get("time/saving", 0.0)))  # of the boundary before this step

    count, every = options.prompts, 1 if save else None
    method = {"path": "online/grpo", "kl.weight": 0} if options.kind == "grpo" else "imitation/sft"
    content = {
        "model": "smollm2",
        "method": method,
        "data": "arithmetic",
        "sampling": {"samples": 8, "max_tokens": 64, "slots": 128},
        "train": {"steps": options.steps + 1, "prompts_per_step": count, "learning_rate": 1e-6, "save_every": every},
        "output": str(folder),
    }
    rows = [{"prompt": p} for p in prompts(count)]
    if options.kind == "sft":
        told = [{"role": "assistant", "content": STORY}]
        rows = [{"prompt": p, "completion": told} for p in prompts(4 * count)]
        content["train"] |= {"prompts_per_step": len(rows)}
    data = from_rows(rows, "prompts" if options.kind == "grpo" else "demonstrations")
    settings = load(content)
    with open_session(settings, display=Watch()) as session:
        assert settings.method is not None
        rewards = [resolve(vowels)] if options.kind == "grpo" else ()
        session.train(settings.method.path, data, settings=settings.method.settings, rewards=rewards)
    saved = sorted(folder.glob("*/latest/*"))
    return marks, sum(f.stat().st_size for f in saved if f.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("grpo", "sft"), default="grpo")
    parser.add_argument("--folder", type=Path, help="where the checkpoints are written; by default a temporary folder")
    for name, default in (("steps", 4), ("repeats", 2), ("prompts", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    steps: dict[bool, list[float]] = {False: [], True: []}
    still: list[float] = []
    size = 0
    for repeat in range(options.repeats):
        for save in (False, True) if repeat % 2 == 0 else (True, False):
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                marks, written = run(options, Path(folder), save=save)
            steps[save] += marks.steps
            size = max(size, written)
            if save:
                still += marks.still[1:]
            print("with   " if save else "without", *(f"{s:.2f}" for s in marks.steps), flush=True)
    plain, saving = median(steps[False]), median(steps[True])
    facts = {"kind": options.kind, "without": plain, "with": saving, "overhead": saving / plain - 1}
    print("RESULT", json.dumps({**facts, "boundary": median(still), "bytes": size, "unit": "s/step"}))


if __name__ == "__main__":
    main()

"""Verifier calls per second, and that 5% of endless loops neither delay them nor leave anything behind.

    python benchmarks/sandbox.py [--calls 10000] [--workers 2] [--sandbox auto] [--seconds 2]

The deadline is that of a perfect verifier: the time of the calls that end, measured alone, and `seconds` for each
loop, shared by the workers. `over` is the time above it, as a part.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from statistics import median

from posttrain.records import Episode, Prompt
from posttrain.rewards.reward import resolve
from posttrain.rewards.scorer import Scorer
from posttrain.sandbox.availability import choose

RIGHT = "def f(x):\n    return x * x"
LOOP = "def f(x):\n    while True:\n        pass"
TESTS = ["assert f(2) == 4", "assert f(-3) == 9"]
EVERY = 20  # one program in so many never ends


def rollouts(count: int, loops: bool) -> list[Episode]:
    prompts = [Prompt(id=k, prompt="square", columns={"tests": TESTS}) for k in range(count)]
    texts = [LOOP if loops and k % EVERY == EVERY - 1 else RIGHT for k in range(count)]
    return [
        Episode.of_answer(p, author=0, sample=0, prompt_tokens=(), tokens=(), logp=(), ended=True, text=t)
        for p, t in zip(prompts, texts, strict=True)
    ]


def timed(scorer: Scorer, batch: list[Episode]) -> float:
    start = time.monotonic()
    for rollout in scorer.score(batch):
        assert rollout.reward == float(rollout.text == RIGHT), (
            f"{rollout.text!r} was given {rollout.reward}: {scorer.metrics()}"
        )
    return time.monotonic() - start


def left() -> dict[str, int]:
    """Children, descriptors and what lies in the folder for temporary files."""
    children = sum(len(p.read_text().split()) for p in Path("/proc/self/task").glob("*/children"))
    return {"processes": children, "descriptors": len(os.listdir("/proc/self/fd")), "files": len(os.listdir("/tmp"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    reward = resolve({"path": "python_tests", "sandbox": options.sandbox, "seconds": options.seconds})
    before = left()
    with Scorer([reward], workers=options.workers, timeout=60.0) as scorer:
        timed(scorer, rollouts(2 * options.workers, loops=False))  # the workers start
        sample = min(options.calls, 200)
        each = median(timed(scorer, rollouts(sample // 4, loops=False)) / (sample // 4) for _ in range(4))
        took = timed(scorer, rollouts(options.calls, loops=True))
    loops = options.calls // EVERY
    deadline = (options.calls - loops) * each + loops * (options.seconds / options.workers + each)
    found = {
        "sandbox": choose(options.sandbox).name, "calls": options.calls, "loops": loops, "seconds": round(took, 2),
        "deadline": round(deadline, 2), "over": round(took / deadline - 1, 3), "ms_a_call": round(each * 1e3, 1),
        "left": {name: count - before[name] for name, count in left().items()},
    }  # fmt: skip
    print("RESULT", json.dumps(found))


if __name__ == "__main__":
    main()

"""One version of the source against another: GRPO steps on SmolLM2-135M, and the sampling within them.

    python benchmarks/versions.py SOURCE OTHER [--rounds 3] [--steps 4]     # SOURCE, OTHER: checkouts

Each round starts both sides in turn, through the command line alone, with the same run file: 8 prompts x 8 answers of
up to 64 tokens. The first step of each run warms up and is left out. A RESULT line for the step, its sampling and its
training: the median of each side, and the ratio SOURCE / OTHER of the medians (below 1: SOURCE is faster).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

RUN = {
    "model": "smollm2",
    "method": {"path": "online/grpo", "kl.weight": 0},
    "data": "arithmetic",
    "rewards": ["math_answer"],
    "sampling": {"max_tokens": 64, "samples": 8, "slots": 64},
    "train": {"prompts_per_step": 8, "learning_rate": 1.0e-6, "tokens_per_device": 640},
    "name": "run",
}
TIMES = ("step_time", "time/sampling", "time/training")


def steps(source: Path, count: int) -> list[dict[str, float]]:
    """The times of the steps of one run, in seconds, without the first."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.yaml"
        file.write_text(json.dumps(RUN), encoding="utf-8")
        command = [sys.executable, "-m", "posttrain", "train", str(file), f"train.steps={count + 1}"]
        environment = {**os.environ, "PYTHONPATH": str(source / "src")}
        done = [*command, f"output={folder}"]
        subprocess.run(done, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        lines = (Path(folder) / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{name: json.loads(line)[name] for name in TIMES} for line in lines[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    options = parser.parse_args()
    sides: dict[Path, list[dict[str, float]]] = {options.source.resolve(): [], options.other.resolve(): []}
    for number in range(options.rounds):
        for side in list(sides) if number % 2 == 0 else reversed(list(sides)):
            sides[side] += steps(side, options.steps)
    ours, theirs = sides.values()
    for name in TIMES:
        one, two = median(s[name] for s in ours), median(s[name] for s in theirs)
        facts = {"source": round(one, 3), "other": round(two, 3), "unit": "s", "ratio": round(one / two, 3)}
        print("RESULT", json.dumps({"measured": name, **facts, "steps": len(ours)}))


if __name__ == "__main__":
    main()

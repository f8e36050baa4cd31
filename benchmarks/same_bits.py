"""Do two versions of the source end with the same bits? Runs the tiny recipes with one of them and prints hashes.

    python benchmarks/same_bits.py SOURCE > one.json       # SOURCE: a checkout
    python benchmarks/same_bits.py OTHER_SOURCE > two.json
    diff one.json two.json

A hash each of the weights, of the metrics without timings, and of the samples. Only the command line is used, so any
two versions can be compared on one machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors import safe_open

RECIPES = ("tiny_sft", "tiny_dpo", "tiny_rm", "tiny_ppo", "tiny_grpo", "tiny_instructgpt")
TIMINGS = ("time/", "tokens_per_second", "step_time")
SAMPLE = ("step", "prompt_id", "sample", "author", "prompt", "completion", "reward", "rewards", "ended")


def main(source: Path) -> None:
    """Run every recipe of a checkout and print its hashes as JSON."""
    found = {}
    for name in RECIPES:
        with tempfile.TemporaryDirectory() as folder:
            recipe = source / "recipes" / f"{name}.yaml"
            command = [sys.executable, "-m", "posttrain", "train", str(recipe), f"output={folder}", "name=run"]
            environment = {**os.environ, "PYTHONPATH": str(source / "src")}
            subprocess.run(command, check=True, cwd=source, env=environment, stdout=subprocess.DEVNULL)
            found[name] = hashes(Path(folder) / "run")
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")


def hashes(run: Path) -> dict[str, str]:
    """SHA-256 of what a run left behind."""
    weights = hashlib.sha256()
    for file in sorted((run / "final").rglob("*.safetensors")):
        with safe_open(file, "numpy") as tensors:
            for name in sorted(tensors.keys()):
                weights.update(f"{file.name}:{name}".encode())
                weights.update(tensors.get_tensor(name).tobytes())
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    metrics = [{k: v for k, v in row.items() if not k.startswith(TIMINGS)} for row in metrics]
    samples = [
        {k: row[k] for k in SAMPLE if k in row} if isinstance(row, dict) else row
        for folder in ("samples", "rounds", "evaluations")
        for file in sorted((run / folder).glob("*.jsonl"))
        for row in map(json.loads, file.read_text(encoding="utf-8").splitlines())
    ]
    return {
        "weights": weights.hexdigest(),
        "metrics": digest(metrics),
        "samples": digest(samples),
    }


def digest(rows: list[object]) -> str:
    """SHA-256 of rows as JSON."""
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

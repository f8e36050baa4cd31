"""One run on 1, 2 and 4 processes: how far its models and metrics are apart.

    python benchmarks/scale.py [--model tiny] [--steps 6]

GRPO in float64. The processes share the cores of this machine: seconds say what they cost beside the computation, not
how much faster several machines are.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file

from posttrain.config.load import load
from posttrain.launch.run import launch
from posttrain.runs.metrics import is_timing, read_metrics


def vowels(completions: list[str]) -> list[float]:
    """A reward that random models get now and then."""
    return [sum(c in "aeiou012345" for c in x) / 10 for x in completions]


def run(folder: Path, model: str, steps: int, processes: int) -> tuple[dict, list[dict], float]:
    """Run it; return its weights, its metrics without times, and the median seconds of a step."""
    content = {
        "model": {"path": model, "dtype": "float64"},
        "method": "online/grpo",
        "data": "arithmetic",
        "sampling": {"samples": 4, "max_tokens": 8},
        "train": {"steps": steps, "prompts_per_step": 8, "learning_rate": 1e-3, "tokens_per_device": 256},
        "device": "cpu",
        "backend": {"path": "fsdp", "processes": processes} if processes else "local",
    }
    from posttrain.rewards.reward import Reward

    result = launch(load(content, [f"output={folder}", f"name=of-{processes}"]), functions=(Reward("vowels", vowels),))
    rows = list(read_metrics(result.directory / "metrics.jsonl"))
    seconds = sorted(row["step_time"] for row in rows[1:])[len(rows[1:]) // 2]
    weights = {n: x for f in result.model.glob("*.safetensors") for n, x in load_file(f).items()}
    return weights, [{n: x for n, x in row.items() if not is_timing(n)} for row in rows], seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--steps", type=int, default=6)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        first, rows, seconds = run(Path(folder), given.model, given.steps, 0)
        print("| processes | weights differ by | metrics differ by | reward at last | s/step |")
        print("|---|---|---|---|---|")
        print(f"| local | 0 | 0 | {rows[-1]['reward']:.6f} | {seconds:.2f} |")
        for processes in (1, 2, 4):
            weights, other, seconds = run(Path(folder), given.model, given.steps, processes)
            apart = max(float((weights[n] - x).abs().max()) for n, x in first.items())
            pairs = [(n, row[n], x) for row, o in zip(rows, other, strict=True) for n, x in o.items() if n in row]
            off = max(abs(a - b) for n, a, b in pairs if isinstance(a, float) and "occupancy" not in n)
            print(f"| fsdp, {processes} | {apart:.1e} | {off:.1e} | {other[-1]['reward']:.6f} | {seconds:.2f} |")


if __name__ == "__main__":
    main()

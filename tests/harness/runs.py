"""Runs of the embedded model in a temporary folder, and what they leave, without what measures the machine.

Use it for whole runs of a run file: two runs must have the same bits, and so must a run that was cut and resumed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from posttrain.config.load import load
from posttrain.launch.result import Result
from posttrain.launch.run import launch
from posttrain.runs.metrics import is_timing, read_metrics
from posttrain.viewer.display import Display

SUMS = "arithmetic:chat=false"
SHORT = {"sampling.max_tokens": 4, "sampling.slots": 64, "train.prompts_per_step": 4, "train.learning_rate": 1e-3}
# Four steps of SFT with a checkpoint after each.
SAVED_EVERY_STEP: dict[str, Any] = {
    "model": "tiny",
    "method": "imitation/sft",
    "data": "arithmetic:chat=false,size=16",
    "train": {"steps": 4, "prompts_per_step": 4, "learning_rate": 1e-3, "save_every": 1, "keep": 9},
    "name": "run",
}


def run(source: str | Path | dict[str, Any], output: Path, *overrides: str, **launching: Any) -> Result:
    return launch(load(source, [f"output={output}", *overrides]), **launching)


def metrics(result: Result) -> list[dict[str, Any]]:
    """The rows of metrics.jsonl without timings."""
    rows = read_metrics(result.directory / "metrics.jsonl")
    return [{k: v for k, v in row.items() if not is_timing(k)} for row in rows]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return {f"{f.name}:{n}": x for f in sorted(folder.glob("*.safetensors")) for n, x in load_file(f).items()}


def same_bits(a: Result, b: Result) -> bool:
    """Whether the models of two runs are equal; or both have none, because nothing of a model was trained."""
    if a.model is None or b.model is None:
        return a.model is b.model
    one, two = weights(a.model), weights(b.model)
    return one.keys() == two.keys() and all(torch.equal(one[n], two[n]) for n in one)


class Interrupt(Exception):
    """Stands for a power cut."""


class PowerCut(Display):
    """Interrupts the run after so many steps of all its stages."""

    def __init__(self, after: int) -> None:
        self.left = after

    def step(self, step: int, metrics: Any) -> None:  # noqa: ARG002
        self.left -= 1
        if self.left == 0:
            raise Interrupt

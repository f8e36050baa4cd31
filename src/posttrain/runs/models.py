"""The model in a folder: the folder's own, or that of a run, finished or not."""

from __future__ import annotations

from pathlib import Path

from posttrain.runs.checkpoint import NAME, step_of
from posttrain.runs.manifest import is_committed

MARKS = ("config.json", "adapter_config.json")  # of a model, and of an adapter


def model_in(folder: Path) -> tuple[Path, str] | None:
    """Return the folder of the model, and what it is for the user: "" if it is the folder itself; None without a model.

    A run stands for its final model, and before it is finished for that of its newest complete checkpoint.
    """
    if is_model(folder):
        return folder, ""
    if is_model(folder / "final"):
        return folder / "final", "the final model of the run"
    checkpoints = folder if folder.name == "checkpoints" else folder / "checkpoints"
    if (newest := _newest(checkpoints)) is not None:
        return newest, "the newest checkpoint of the run, which has no final model yet"
    return None


def is_model(folder: Path) -> bool:
    """Whether the folder holds a model or an adapter."""
    return any((folder / mark).is_file() for mark in MARKS)


def _newest(checkpoints: Path) -> Path | None:
    if not checkpoints.is_dir():
        return None
    complete = [c for c in checkpoints.iterdir() if NAME.fullmatch(c.name) and is_committed(c) and is_model(c)]
    return max(complete, key=lambda c: (step_of(c), "." not in c.name), default=None)

"""How a run ended, as it stands in run.json: `ended: {how, steps, why}`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from posttrain.errors import PosttrainError

FINISHED = "finished"  # the others: early (train.max_seconds), stopped (a signal), failed (an error)


class FinishedError(PosttrainError):
    """A run that is to be resumed, and has nothing left to train. `folder` is its directory, which is unchanged."""

    exit_code = 0

    def __init__(self, folder: Path, steps: int | None = None) -> None:
        self.folder = folder
        after = f" after {steps} steps" if steps else ""
        super().__init__(
            f"{folder} is finished{after}: nothing was changed; to train it further raise train.steps or train.epochs"
        )


def read_facts(folder: Path) -> dict[str, Any]:
    """Return what run.json says about the last attempt; nothing if it is missing or damaged."""
    try:
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def read_ending(folder: Path) -> dict[str, Any]:
    """Return how the last attempt ended; nothing if it is running, was killed, or never began."""
    ended = read_facts(folder).get("ended")
    return ended if isinstance(ended, dict) else {}


def is_finished(folder: Path) -> bool:
    """Whether the run came to its end, and what it made is still there."""
    results = any((folder / name).is_dir() for name in ("final", "artefacts"))
    return results and read_ending(folder).get("how") == FINISHED

"""Runs of other run files inside a run: each lies in `trials/NAME` of its directory, and goes on where it was cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from posttrain.config.load import load
from posttrain.config.schema import RunFile
from posttrain.launch.result import Result
from posttrain.training.trials import Trial

FOLDER = "trials"


def trials_in(folder: Path, base: Path, launch: Callable[..., Result]) -> Trial:
    """Return what runs a run file with changed keys inside a run directory. `base`: where the file is looked for."""

    def trial(name: str, file: str, changes: Mapping[str, Any]) -> Path:
        overrides = [f"{key}={json.dumps(value)}" for key, value in changes.items()]
        own = [f"output={folder / FOLDER}", f"name={name}"]
        run: RunFile = load(base / file, [*overrides, *own])
        return launch(run, resume=(folder / FOLDER / name).is_dir()).directory

    return trial

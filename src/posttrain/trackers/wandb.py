"""Weights & Biases. Without `online: true` it writes into `wandb/` of the run's folder, for `wandb sync`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.trackers.tracker import COLUMNS, About, Row

PACKAGE = "wandb"


class Wandb:
    """A run of W&B. Steps are a metric of their own: W&B drops values of a step behind its own counter."""

    def __init__(self, run: Any) -> None:
        self._run = run
        run.define_metric("*", step_metric="step")

    def metrics(self, step: int, numbers: Mapping[str, float]) -> None:
        self._run.log({**numbers, "step": step})

    def samples(self, step: int, rows: Sequence[Row]) -> None:
        import wandb

        table = wandb.Table(columns=list(COLUMNS), data=[list(row) for row in rows])
        self._run.log({"samples": table, "step": step})

    def finish(self, *, failed: bool) -> None:
        self._run.finish(exit_code=int(failed))


def start(about: About, _step: int) -> Wandb:
    """Begin a run of W&B, or continue that of the same id. WANDB_MODE decides where it is set."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it is read when wandb is imported
    import wandb

    mode = os.environ.get("WANDB_MODE") or ("online" if about.online else "offline")
    about.folder.mkdir(parents=True, exist_ok=True)
    run = wandb.init(
        id=about.id,
        name=about.name,
        project=os.environ.get("WANDB_PROJECT") or about.project,
        config=dict(about.config),
        dir=str(about.folder),
        mode=mode,
        resume="allow" if mode == "online" else None,
        settings=wandb.Settings(console="off", silent=True),
    )
    return Wandb(run)

"""`backend`: the processes and devices that hold the weights."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from posttrain.config.section import Pathed
from posttrain.config.types import Positive

LOCAL, FSDP = "local", "fsdp"


class Backend(Pathed):
    """Where the weights are and who changes them. The short form is its name."""

    path: Literal["local", "fsdp"] = "local"
    """local: one process with one device. fsdp: several processes, over which every model is divided (FSDP2)."""
    processes: int | None = Field(default=None, ge=1)
    """Processes of fsdp on this machine; null is one for each GPU, or 2 without any. Where torchrun starts the run, it
    says how many."""
    sharded_checkpoints: bool = False
    """Whether each process of fsdp writes its own part of a checkpoint, which then holds no model for other programs;
    false gathers it in the first process, and a run of one process can continue it."""
    timeline: bool = False
    """Whether each process of fsdp writes what it does when to `timeline/rank-N.json` of the run's folder, for
    ui.perfetto.dev."""
    timeout: Positive = 1800.0
    """Seconds that a process of fsdp waits for the others; more than the answers of one step take to sample."""

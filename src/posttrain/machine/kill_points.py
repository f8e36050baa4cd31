"""Kill points: `POSTTRAIN_FAULT=optimiser:3` kills the run there, as a power cut would, for tests of resume.

Step 3 is the third step of the run; phases before the first step have step 0. Nothing is cleaned up or flushed.
"""

from __future__ import annotations

import os
import signal

from posttrain.errors import ConfigError, suggestion

VARIABLE = "POSTTRAIN_FAULT"

PHASES = {
    "config": "the run file is read, nothing is loaded yet",
    "model": "the models are loaded, nothing is written yet",
    "directory": "the run directory is locked, nothing is written yet",
    "resume": "the checkpoint is chosen, what came after it is not removed yet",
    "dataset": "the records are read and encoded",
    "prepare": "models and optimisers of a stage exist, its checkpoint is not read yet",
    "data": "a step has begun, its records are taken",
    "turn": "a turn of an episode is written, the environment has not answered",
    "sampling": "the answers are sampled",
    "rewards": "the answers are scored",
    "search": "what a search has drawn, proposed or valued is kept",
    "derive": "the derived tensors are computed",
    "backward": "a gradient is complete",
    "optimiser": "an optimiser step is done, perhaps not the last of its batch",
    "trained": "the batch is done, its metrics are not written yet",
    "metrics": "the metrics of the step are written",
    "snapshot": "the state is copied, nothing of it is written yet",
    "save": "the model is written, the state is not",
    "saved": "all files are written, the manifest is not",
    "manifest": "the manifest is written, the mark COMMITTED is not",
    "committed": "the checkpoint is complete under its hidden name",
    "published": "it has its own name, older ones are not removed yet",
    "export": "training is over, the final model is not written yet",
    "exported": "the final model is written, its card is not",
}

_fault: tuple[str, int] | None = None  # the phase and step at which this process is killed
_step = 0


def arm() -> None:
    """Read the kill point from the environment, once, when a run starts. Raises ConfigError for an unknown phase."""
    global _fault, _step
    _fault, _step = parse(os.environ.get(VARIABLE, "")), 0


def parse(text: str) -> tuple[str, int] | None:
    """Parse `optimiser:3` into a phase and a step; None for an empty text. Raises ConfigError."""
    if not text:
        return None
    phase, _, step = text.partition(":")
    if phase not in PHASES:
        raise ConfigError(f"{VARIABLE}={text}: no phase {phase!r}{suggestion(phase, PHASES)}; {', '.join(PHASES)}")
    if not (step.isascii() and step.isdigit()):
        raise ConfigError(f"{VARIABLE}={text}: the step is missing or no whole number; write {phase}:3")
    return phase, int(step)


def maybe_kill(phase: str, step: int | None = None) -> None:
    """Kill the process if the kill point is this phase at this step.

    Without `step` it is the step that `at_step` set last. A checkpoint gives its own, as it is written while training
    goes on.
    """
    if _fault is not None and phase == _fault[0] and (_step if step is None else step) == _fault[1]:
        os.kill(os.getpid(), signal.SIGKILL)


def at_step(step: int) -> None:
    """Remember which step of the run begins."""
    global _step
    _step = step

"""The backend of a run file: the learner that holds the weights, and the sampler that reads them where they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.optimiser import AdamW
from posttrain.backends.local.private import LocalPrivateLearner
from posttrain.backends.local.sampler import LocalSampler
from posttrain.config.sections.backend import FSDP
from posttrain.errors import ConfigError
from posttrain.launch.models import device_of

if TYPE_CHECKING:
    from posttrain.backends.fsdp.group import Group
    from posttrain.backends.fsdp.learner import FsdpLearner
    from posttrain.backends.protocol import Learner, Sampler
    from posttrain.config.schema import RunFile
    from posttrain.models.loading.load import Loaded

TIMELINE = "timeline"  # folder in that of the run
Progress = Callable[[str, int, int], None]


def follow(run: RunFile) -> None:
    """Where torchrun has started several processes: follow the first one, in all others, and end with it."""
    if run.backend.path == FSDP and int(os.environ.get("RANK", "0")) > 0:
        from posttrain.backends.fsdp.follower import follow_torchrun

        follow_torchrun(_kind(run), run.backend.timeout)
        raise SystemExit(0)


@contextmanager
def processes_of(run: RunFile, logs: Path | None) -> Iterator[Group | None]:
    """The processes of a run, if it has more than this one; they end if the block fails."""
    if run.backend.path != FSDP:
        yield None
        return
    from posttrain.backends.fsdp.group import join, start

    _check(run)
    kind, timeout = _kind(run), run.backend.timeout
    if _by_torchrun():
        group = join(kind, timeout)
    else:
        count = run.backend.processes or (torch.cuda.device_count() if kind == "cuda" else 2)
        group = start(count, device=kind, timeout=timeout, logs=logs)
    try:
        if run.backend.timeline and logs is not None:
            group.trace(logs / TIMELINE)
        yield group
    except BaseException:
        group.close()
        raise


def _check(run: RunFile) -> None:
    """Raise ConfigError for what only the backend of one process does."""
    if run.train.privacy is not None:
        raise ConfigError("train.privacy clips the gradient of every record in one process; set backend: local")
    if ":" in run.device or run.device == "mps":
        raise ConfigError(
            f"device: {run.device} is one device, and backend: fsdp has one for each process; use cuda or cpu"
        )
    wanted, devices = run.backend.processes, torch.cuda.device_count()
    if _by_torchrun():
        if wanted is not None and wanted != int(os.environ["WORLD_SIZE"]):
            raise ConfigError(
                f"backend.processes: {wanted}, but torchrun has started {os.environ['WORLD_SIZE']}; remove "
                "backend.processes"
            )
    elif _kind(run) == "cuda" and (wanted or 1) > devices:
        raise ConfigError(f"backend.processes: {wanted}, but there are {devices} CUDA devices; one process has one")


def _by_torchrun() -> bool:
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def _kind(run: RunFile) -> str:
    return device_of(run.device).partition(":")[0]


def learner_of(
    run: RunFile, group: Group | None, networks: Mapping[str, Any], policy: Loaded, progress: Progress
) -> Learner:
    """The learner that a run file names. Raises ModelError for a model that it cannot divide."""
    t = run.train
    settings: dict[str, Any] = {
        "tokenizer": policy.tokenizer,
        "optimiser": AdamW(t.betas, weight_decay=t.weight_decay, max_grad_norm=t.max_grad_norm or 0.0),
        "tokens_per_device": t.tokens_per_device,
        "seed": run.seed,
        "progress": progress,
    }
    if group is not None:
        from posttrain.backends.fsdp.learner import FsdpLearner

        return FsdpLearner(group, networks, sharded_checkpoints=run.backend.sharded_checkpoints, **settings)
    return (LocalPrivateLearner if t.privacy else LocalLearner)(networks, **settings)


def native_sampler(run: RunFile, learner: Learner, policy: Loaded, progress: Progress) -> Sampler:
    """The native sampler, in the processes of the learner."""
    slots = run.sampling.slots
    if run.backend.path == FSDP:
        from posttrain.backends.fsdp.sampler import FsdpSampler

        some_wait = bool(run.sampling.spare_prompts)
        return FsdpSampler(cast("FsdpLearner", learner), policy.stop, slots, progress, alone=some_wait)
    return LocalSampler(cast(LocalLearner, learner).models, policy.stop, slots, progress)

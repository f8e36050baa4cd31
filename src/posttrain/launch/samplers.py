"""The sampler of a run file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from posttrain.backends.local.sampler import LocalSampler
from posttrain.config.sections.sampler import NATIVE

if TYPE_CHECKING:
    from posttrain.backends.local.learner import LocalLearner
    from posttrain.backends.protocol import Sampler
    from posttrain.backends.vllm.process import Channel
    from posttrain.config.schema import RunFile
    from posttrain.models.loading.load import Loaded

LOG = "sampler.log"


def sampler_of(
    run: RunFile,
    learner: LocalLearner,
    policy: Loaded,
    limit: int,
    directory: Path | None,
    progress: Callable[[str, int, int], None],
) -> Sampler:
    """The sampler that a run file names. `limit`: the longest row in tokens. Raises ModelError without vLLM."""
    local = LocalSampler(learner.models, policy.stop, run.sampling.slots, progress)
    if run.sampler.path == NATIVE:
        return local
    from posttrain.backends.vllm.process import check_python, vllm_process
    from posttrain.backends.vllm.sampler import VllmSampler

    spec = run.sampler
    check_python(python := spec.python or sys.executable)

    def start(folder: Path) -> Channel:
        log = (directory or folder) / LOG
        return vllm_process(python, folder, log, patience=spec.patience, starting=spec.starting)

    return VllmSampler(
        learner,
        local,
        start,
        stop=policy.stop,
        slots=run.sampling.slots,
        settings={"max_model_len": limit, "seed": run.seed % 2**32, **spec.settings},
        reader=lambda: learner.models["policy"],
        progress=progress,
    )

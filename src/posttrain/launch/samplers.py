"""The sampler of a run file: the native one, in the processes of the learner, or one in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from posttrain.config.sections.sampler import NATIVE
from posttrain.launch.backends import Progress, native_sampler

if TYPE_CHECKING:
    from posttrain.backends.protocol import Learner, Sampler
    from posttrain.backends.vllm.process import Channel
    from posttrain.config.schema import RunFile
    from posttrain.models.loading.load import Loaded

LOG = "sampler.log"


def sampler_of(
    run: RunFile, learner: Learner, policy: Loaded, limit: int, directory: Path | None, progress: Progress
) -> Sampler:
    """The sampler that a run file names. `limit`: the longest row in tokens. Raises ModelError without vLLM."""
    native = native_sampler(run, learner, policy, progress)
    if run.sampler.path == NATIVE:
        return native
    from posttrain.backends.vllm.process import check_python, vllm_process
    from posttrain.backends.vllm.sampler import VllmSampler

    spec = run.sampler
    check_python(python := spec.python or sys.executable)

    def start(folder: Path) -> Channel:
        log = (directory or folder) / LOG
        return vllm_process(python, folder, log, patience=spec.patience, starting=spec.starting)

    return VllmSampler(
        learner,
        native,
        start,
        stop=policy.stop,
        slots=run.sampling.slots,
        settings={"max_model_len": limit, "seed": run.seed % 2**32, **spec.settings},
        reader=lambda: policy.network,
        progress=progress,
    )

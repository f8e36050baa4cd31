"""What `posttrain explain` says of a run file, and of a transform of rewards."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile
    from posttrain.core.method import Method, Stream

PLACES = {"transform": "rewards: [{path: REWARD, transform: [NAME]}]", "combine": "scoring: {combine: NAME}"}


def of_run(path: str) -> str:
    """Explain the method of a run file with its settings, and what it makes of the rewards. Raises ConfigError."""
    from posttrain.catalogue import index as catalogue
    from posttrain.catalogue.explain import explain, explain_procedure
    from posttrain.config.load import load
    from posttrain.launch.checks import configured, method_of
    from posttrain.training.named_rewards import named_rewards
    from posttrain.training.shaped_rewards import shaping

    run = load(Path(path))
    blocks = []
    if run.procedure is not None:
        entry = catalogue.entry(run.procedure.path)
        blocks.append(explain_procedure(entry.text, catalogue.load_procedure(run.procedure.path, run.base)))
    if run.method is not None:
        method = _sampling_as(configured(run, method_of(run)), run)
        blocks.append(explain(catalogue.entry(run.method.path).text, method))
    if rewards := named_rewards(run):
        lines = [f"  reward       {shaping(run, rewards)}"]
        lines += [f"  {r.name:12} {r.weight:g}{' only watches' if not r.weight else ''}: {r.source}" for r in rewards]
        blocks.append("\n".join(["REWARDS", *lines]))
    return "\n\n".join(blocks)


def _sampling_as(method: Method, run: RunFile) -> Method:
    """Return the method with the number of answers and the temperature of the run file."""
    from posttrain.core.method import variant
    from posttrain.training.episodes import authors_of

    own = run.sampling

    def sampled(name: str, stream: Stream) -> Stream:
        return replace(stream, sampling=authors_of(method, name, samples=own.samples, temperature=own.temperature))

    return variant(method, streams={name: sampled(name, stream) for name, stream in method.streams.items()})


def of_transform(name: str) -> str | None:
    """Describe a transform, or a way to combine rewards, by its name: the docstrings of its file and function."""
    from posttrain.rewards.shaping.transform import function_of, shipped

    for kind, place in PLACES.items():
        if name in shipped(kind):
            function = function_of(kind, name)
            texts = (place.replace("NAME", name), inspect.getdoc(inspect.getmodule(function)), inspect.getdoc(function))
            return "\n\n".join(text for text in texts if text)
    return None

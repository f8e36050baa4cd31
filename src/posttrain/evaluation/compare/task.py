"""What methods are compared on: data, a budget, and what is measured while they learn.

A task is a file like a method: `tasks/gold_reward.py`, or one of yours. It holds a function of its own name,

    def mine(folder: Path, seed: int, *, steps: int = 100) -> Task

that makes everything that all methods share at one seed. What takes time is kept in `folder`, so that a comparison that
was killed goes on with it. Its keyword-only parameters are the settings of the task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.signature import Signature
from posttrain.errors import ConfigError

if TYPE_CHECKING:
    from posttrain.data.dataset import Dataset
    from posttrain.rewards.reward import Reward
    from posttrain.training.session import Session

Measure = Callable[["Session", str], Mapping[str, float]]


@dataclass(frozen=True)
class Task:
    """A task at one seed.

    `run`: model, train and sampling of a run file. `records` by kind ("pairs", ...). `measure(session, name)` says how
    good the policy is now; under `name` it may collect. `x` and `y` are what the figure shows of it, with their labels.
    """

    run: Mapping[str, Any]
    records: Mapping[str, Dataset]
    measure: Measure
    x: tuple[str, str]
    y: tuple[str, str]
    rewards: Sequence[Reward] = ()
    points: int = 8  # measurements while a method learns, besides the one before
    law: bool = (
        False  # whether x is the KL and y a reward that is 0 at the reference, as in the law of over-optimisation
    )
    chance: float | None = None  # of y, for the figure
    facts: Mapping[str, Any] = field(default_factory=dict)  # what a reader of the results should know


Maker = Callable[..., Task]


def load(path: str, settings: Mapping[str, Any], base: Path | None = None) -> Maker:
    """The function of a task, called `maker(folder, seed, **settings)`. ConfigError for settings that it lacks."""
    function = catalogue.load_task(path, base)
    signature = Signature(function, own=("folder", "seed"))
    signature.check(settings, f"task {path}")
    if missing := signature.missing(settings):
        raise ConfigError(
            f"task {path} needs {missing[0]}: give --{missing[0]} FILE"
            if missing[0] == "data"
            else f"task {path} needs the setting {missing[0]}: give --set {missing[0]}=..."
        )
    return function

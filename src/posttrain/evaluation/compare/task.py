"""Tasks, on which methods are compared: data, a budget, and measurements during training.

A task is a file like a method: `tasks/gold_reward.py`, or one of yours. It defines a function of its own name,

    def mine(folder: Path, seed: int, *, steps: int = 100) -> Task

that creates everything that all methods share at one seed. It keeps in `folder` what takes time, so that a resumed
comparison finds it there. Its keyword-only parameters are the settings of the task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.signature import Signature
from posttrain.errors import ConfigError
from posttrain.evaluation.overoptimisation import Kind

if TYPE_CHECKING:
    from posttrain.data.dataset import Dataset
    from posttrain.rewards.reward import Reward
    from posttrain.training.session import Session

Measure = Callable[["Session", str], Mapping[str, float]]
After = Callable[["Session", int], Sequence[dict[str, float]]]


@dataclass(frozen=True)
class Task:
    """A task at one seed.

    `run`: model, train and sampling of a run file. `records` by kind ("pairs", ...). `measure(session, name)` evaluates
    the current policy and returns numbers by name; it may collect answers under `name`. `x` and `y`: the two of these
    numbers that the figure shows, (name, label). `after(session, seed)`: a curve that is measured once a method has
    been trained, in place of points during training. `law`: the law of over-optimisation that is fitted, for an x that
    is the KL and a y that is 0 at the reference.
    """

    run: Mapping[str, Any]
    records: Mapping[str, Dataset]
    measure: Measure
    x: tuple[str, str]
    y: tuple[str, str]
    rewards: Sequence[Reward] = ()
    points: int = 8  # measurements during training, besides the one before it
    trains: str = "policy"  # the model that every method must train
    after: After | None = None
    law: Kind | None = None
    together: Sequence[str] = ()  # measurements whose correlations over all trained models are reported
    chance: float | None = None  # y of a policy that guesses, for the figure
    facts: Mapping[str, Any] = field(default_factory=dict)  # further facts for the reader of the results


Maker = Callable[..., Task]


def load(path: str, settings: Mapping[str, Any], base: Path | None = None) -> Maker:
    """Load the function of a task: `maker(folder, seed, **settings)`. Raises ConfigError for wrong settings."""
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

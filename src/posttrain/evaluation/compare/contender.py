"""A method (or procedure) with its settings, as it is named in a comparison: `preference/dpo:beta=0.05`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure
from posttrain.catalogue.signature import Signature
from posttrain.core.kinds import kind, kinds
from posttrain.core.method import Method
from posttrain.core.plan import PlanError, plan
from posttrain.data.dataset import parse_spec
from posttrain.errors import ConfigError
from posttrain.evaluation.compare.task import Task

RATE = "learning_rate"  # the one value of `train` that may differ: methods differ in the scale of their gradient
MADE_OF_THE_POLICY = ("policy", "reference", "critic")


@dataclass(frozen=True)
class Contender:
    """What is trained. `settings` are those of the method or procedure."""

    label: str
    path: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float | None = None

    @property
    def is_procedure(self) -> bool:
        return catalogue.is_procedure(self.path)

    @property
    def named(self) -> dict[str, str]:
        """The key of a run file that names it."""
        return {"procedure" if self.is_procedure else "method": self.path}

    @property
    def train(self) -> dict[str, Any]:
        return {} if self.learning_rate is None else {RATE: self.learning_rate}

    def method(self) -> Method:
        return configure(catalogue.load(self.path), self.settings)

    def reads(self, task: Task) -> dict[str, str]:
        """Stream (or parameter of the procedure) -> the kind of its records. ConfigError if the task lacks one."""
        needed = self._parameters() if self.is_procedure else self._streams()
        if lacking := sorted(set(needed.values()) - set(task.records)):
            raise ConfigError(
                f"{self.label} reads {', '.join(sorted(set(needed.values())))}; the task has no {', '.join(lacking)} "
                f"(it has {', '.join(sorted(task.records))}); leave {self.label} out of this comparison"
            )
        if "prompts" in needed.values() and not task.rewards:
            raise ConfigError(
                f"{self.label} samples answers that must be scored, and the task has no reward; leave it out, or take "
                "a task with one, such as gold_reward"
            )
        return needed

    def check(self, task: Task) -> None:
        """ConfigError, before anything is trained, for what cannot run on the task."""
        needed = self.reads(task)
        if self.is_procedure:
            return
        method = self.method()
        try:
            made = plan(method, {s: _arrives(task, kind, method) for s, kind in needed.items()} | _views(method))
        except PlanError as error:
            raise ConfigError(f"{self.label} cannot run on this task: {error}") from None
        if lacking := sorted(set(made.loaded) - set(made.trained) - {*MADE_OF_THE_POLICY, *method.averages}):
            columns = ", ".join(method.columns) or "none"
            raise ConfigError(
                f"{self.label} reads the model {lacking[0]!r}, which the task does not have, nor a column in its place "
                f"(columns that the method can read: {columns}); leave it out of this comparison"
            )
        if "policy" not in made.trained:
            raise ConfigError(f"{self.label} trains {', '.join(made.trained)} and not the policy; leave it out")

    def _streams(self) -> dict[str, str]:
        return {s: stream.kind.name for s, stream in self.method().streams.items() if stream.view is None}

    def _parameters(self) -> dict[str, str]:
        """The data that the procedure cannot do without."""
        data = Signature(catalogue.load_procedure(self.path), own=("session",)).data
        return {name: name if name in kinds() else "prompts" for name, p in data.items() if p.required}


def _arrives(task: Task, name: str, method: Method) -> set[str]:
    known = kind(name)
    if known.sampled:
        return {*known.tensors, "reward"}
    columns: Mapping[str, Any] = task.records[name][0].columns
    return {*known.tensors, *(c for c in method.columns if any(side + c in columns for side in known.sides))}


def _views(method: Method) -> dict[str, set[str]]:
    """Streams that are made of the main one."""
    return {s: set(v.kind.tensors) for s, v in method.streams.items() if v.view is not None}


def contenders(specs: Sequence[str]) -> list[Contender]:
    """From what a person types: `path` or `path:setting=value,...`. ConfigError for what cannot be read."""
    made = [contender(spec) for spec in specs]
    labels = [c.label for c in made]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ConfigError(f"{twice[0]} is named twice; give it another setting, or name it once")
    return made


def contender(spec: str) -> Contender:
    """`preference/dpo:beta=0.05,learning_rate=1e-4`: any setting of the method, and the learning rate."""
    path, raw = parse_spec(spec)
    settings = {key: value(text) for key, text in raw.items()}
    rate = settings.pop(RATE, None)
    if rate is not None and not isinstance(rate, int | float):
        raise ConfigError(f"{spec}: {RATE}={raw[RATE]} is not a number")
    made = Contender(label_of(path, raw), path, settings, None if rate is None else float(rate))
    if not made.is_procedure:
        made.method()  # unknown names and settings are errors now
    return made


def label_of(path: str, settings: Mapping[str, str]) -> str:
    """As the table and the legend call it: `dpo`, `dpo beta=0.05`."""
    name = Path(path).stem
    return f"{name} {' '.join(f'{k}={v}' for k, v in settings.items())}" if settings else name


def value(text: str) -> Any:
    """A setting as YAML reads it, but 1e-4, which YAML takes for text because it has no dot, is a number."""
    found = yaml.safe_load(text)
    if isinstance(found, str):
        try:
            return float(found)
        except ValueError:
            return found
    return found

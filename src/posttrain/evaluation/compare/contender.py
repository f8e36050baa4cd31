"""Contenders of a comparison: a method or procedure with its settings, `preference/dpo:beta=0.05`."""

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
from posttrain.data.sources import parse_spec
from posttrain.errors import ConfigError
from posttrain.evaluation.compare.task import Task

RATE = "learning_rate"  # the only key of `train` that may differ, because methods differ in the scale of gradients
FROM_THE_POLICY = ("policy", "reference", "critic")  # roles whose initial weights are the policy's


@dataclass(frozen=True)
class Contender:
    """A method or procedure to be trained. `settings` are its own, `label` its name in the results."""

    label: str
    path: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float | None = None

    @property
    def is_procedure(self) -> bool:
        """Whether it is a procedure."""
        return catalogue.is_procedure(self.path)

    @property
    def named(self) -> dict[str, str]:
        """The key of the run file that names it, with its path."""
        return {"procedure" if self.is_procedure else "method": self.path}

    @property
    def train(self) -> dict[str, Any]:
        """Its changes to the section `train` of the run file."""
        return {} if self.learning_rate is None else {RATE: self.learning_rate}

    def method(self) -> Method:
        """Load the method and apply the settings. Raises ConfigError for unknown names and settings."""
        return configure(catalogue.load(self.path), self.settings)

    def reads(self, task: Task) -> dict[str, str]:
        """Map streams (or data parameters of the procedure) to kinds. Raises ConfigError if the task lacks one."""
        needed = self._parameters() if self.is_procedure else self._streams()
        if lacking := sorted(set(needed.values()) - set(task.records)):
            raise ConfigError(
                f"{self.label} reads {', '.join(sorted(set(needed.values())))}; the task has no {', '.join(lacking)} "
                f"(it has {', '.join(sorted(task.records))}); leave {self.label} out of this comparison"
            )
        scored = self.is_procedure or "reward" in self.method().reads
        if "prompts" in needed.values() and scored and not task.rewards:
            raise ConfigError(
                f"{self.label} samples answers that must be scored, and the task has no reward; leave it out, or take "
                "a task with one, such as gold_reward"
            )
        return needed

    def check(self, task: Task) -> None:
        """Raise ConfigError, before anything is trained, if it cannot run on the task."""
        needed = self.reads(task)
        if self.is_procedure:
            return
        method = self.method()
        try:
            planned = plan(method, {s: _arrives(task, kind, method) for s, kind in needed.items()} | _views(method))
        except PlanError as error:
            raise ConfigError(f"{self.label} cannot run on this task: {error}") from None
        if lacking := sorted(
            set(planned.loaded)
            - set(planned.trained)
            - {*FROM_THE_POLICY, *task.run.get("models", ()), *method.averages}
        ):
            columns = ", ".join(method.columns) or "none"
            raise ConfigError(
                f"{self.label} reads the model {lacking[0]!r}, which the task does not have, nor a column in its place "
                f"(columns that the method can read: {columns}); leave it out of this comparison"
            )
        if task.trains not in planned.trained:
            raise ConfigError(
                f"{self.label} trains {', '.join(planned.trained)} and not the {task.trains}; leave it out"
            )

    def _streams(self) -> dict[str, str]:
        return {s: stream.kind.name for s, stream in self.method().streams.items() if stream.view is None}

    def _parameters(self) -> dict[str, str]:
        """Map the required data parameters of the procedure to their kinds."""
        data = Signature(catalogue.load_procedure(self.path), own=("session",)).data
        return {name: name if name in kinds() else "prompts" for name, p in data.items() if p.required}


def _arrives(task: Task, name: str, method: Method) -> set[str]:
    """Return the tensors that the task's records of a kind bring."""
    known = kind(name)
    if known.sampled:
        return {*known.tensors, "reward"}
    columns: Mapping[str, Any] = task.records[name][0].columns
    return {*known.tensors, *(c for c in method.columns if any(side + c in columns for side in known.sides))}


def _views(method: Method) -> dict[str, set[str]]:
    """Return the tensors of the streams that are derived from the main one."""
    return {s: set(v.kind.tensors) for s, v in method.streams.items() if v.view is not None}


def contenders(specs: Sequence[str]) -> list[Contender]:
    """Parse several contenders. Raises ConfigError for one that cannot be parsed or is named twice."""
    parsed = [contender(spec) for spec in specs]
    labels = [c.label for c in parsed]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise ConfigError(f"{twice[0]} is named twice; give it another setting, or name it once")
    return parsed


def contender(spec: str) -> Contender:
    """Parse `PATH` or `PATH:beta=0.05,learning_rate=1e-4`: settings of the method, and the learning rate.

    Raises ConfigError for unknown names and settings.
    """
    path, raw = parse_spec(spec)
    settings = {key: value(text) for key, text in raw.items()}
    rate = settings.pop(RATE, None)
    if rate is not None and not isinstance(rate, int | float):
        raise ConfigError(f"{spec}: {RATE}={raw[RATE]} is not a number")
    parsed = Contender(label_of(path, raw), path, settings, None if rate is None else float(rate))
    if not parsed.is_procedure:
        parsed.method()  # fails now for unknown names and settings
    return parsed


def label_of(path: str, settings: Mapping[str, str]) -> str:
    """Return the name in tables and legends: `dpo`, `dpo beta=0.05`."""
    name = Path(path).stem
    return f"{name} {' '.join(f'{k}={v}' for k, v in settings.items())}" if settings else name


def value(text: str) -> Any:
    """Parse a setting as YAML does, except that 1e-4 is a number (without a dot, YAML reads it as text)."""
    parsed = yaml.safe_load(text)
    if isinstance(parsed, str):
        try:
            return float(parsed)
        except ValueError:
            return parsed
    return parsed

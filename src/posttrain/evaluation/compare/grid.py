"""The grid of a comparison: every method at every seed. A finished cell is a file; resuming runs the missing ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from posttrain.errors import ConfigError, StorageError
from posttrain.evaluation.compare.cell import Point, curve, steps_of
from posttrain.evaluation.compare.contender import Contender, contenders
from posttrain.evaluation.compare.task import Task, load
from posttrain.runs import durable
from posttrain.runs.directory import RunDirectory
from posttrain.runs.names import slug
from posttrain.viewer.display import Display

Curves = dict[str, dict[int, list[Point]]]  # method -> seed -> points in the order of steps


@dataclass(frozen=True)
class Comparison:
    """The results: `curves` of every method at every seed, and the `task` at the first seed."""

    directory: Path
    name: str
    task: Task
    curves: Curves


def compare(
    methods: Sequence[str],
    task: str,
    *,
    seeds: int = 5,
    settings: Mapping[str, Any] | None = None,
    output: Path = Path("runs"),
    name: str | None = None,
    resume: bool = False,
    display: Display | None = None,
) -> Comparison:
    """Train each method at each seed, all with the task's budget; at one seed, on the same data in the same order.

    `methods`: "preference/dpo", "preference/dpo:beta=0.5". `resume`: run only the missing cells. Raises ConfigError,
    before anything is trained, for a method that cannot run on the task.
    """
    entries = contenders(methods)
    task_settings = dict(settings or {})
    maker = load(task, task_settings)
    config = {"compare": list(methods), "task": {"path": task, **task_settings}, "seeds": seeds}
    with RunDirectory.create(output, name, config, hint=f"compare-{Path(task).stem}", resume=resume) as directory:
        shared = directory.path / "task"
        shared.mkdir(exist_ok=True)
        task_at = cache(lambda seed: maker(shared, seed, **task_settings))
        for entry in entries:
            entry.check(task_at(0))
        cells = [Cell(directory.path / "cells", m, config["task"], seed) for seed in range(seeds) for m in entries]
        _fill(cells, task_at, display or Display())
        curves: Curves = {m.label: {} for m in entries}
        for cell in cells:
            curves[cell.method.label][cell.seed] = cell.read()
        return Comparison(directory.path, Path(task).stem, task_at(0), curves)


@dataclass(frozen=True)
class Cell:
    """A method at a seed, and the file of its points."""

    folder: Path
    method: Contender
    task: Any
    seed: int

    @property
    def path(self) -> Path:
        """The file of the cell."""
        return self.folder / f"{slug(self.method.label)}-{self.seed}.json"

    @property
    def identity(self) -> dict[str, Any]:
        """The settings that determine the result, as plain JSON data."""
        settings = {**asdict(self.method), "task": self.task, "seed": self.seed}
        return dict(json.loads(json.dumps(settings, default=str)))

    @property
    def done(self) -> bool:
        """Whether the file exists."""
        return self.path.exists()

    def write(self, points: Sequence[Point], seconds: float) -> None:
        """Write the points, and the time they took, to the file."""
        self.folder.mkdir(exist_ok=True)
        content = {**self.identity, "seconds": round(seconds, 1), "points": list(points)}
        durable.write_text(self.path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def read(self) -> list[Point]:
        """Read the points. Raises StorageError for a damaged file, ConfigError for one of another method or task."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StorageError(f"{self.path}: cannot be read ({error}); delete it and --resume") from error
        if other := [k for k, v in self.identity.items() if content.get(k) != v]:
            raise ConfigError(
                f"{self.path}: was made with another {other[0]}: {content.get(other[0])!r}, now "
                f"{self.identity[other[0]]!r}; start a new comparison (--name)"
            )
        return [dict(point) for point in content["points"]]


def _fill(cells: Sequence[Cell], task_at: Callable[[int], Task], display: Display) -> None:
    """Run the missing cells. `task_at(seed)` is the task."""
    steps = steps_of(task_at(0))
    missing = [cell for cell in cells if not cell.done]
    for cell in cells:
        if cell.done:
            cell.read()  # fails before anything is trained if it belongs to another comparison
    before = (len(cells) - len(missing)) * steps
    header = [f"{len(cells)} cells of {steps} steps, {len(missing)} to go"]
    display.start("comparison", len(cells) * steps, header, first_step=before)
    for number, cell in enumerate(missing):
        began, earlier = time.monotonic(), before + number * steps

        def on_step(done: int, earlier: int = earlier) -> None:
            display.step(earlier + min(done, steps), {})

        points = curve(cell.method, task_at(cell.seed), cell.seed, on_step)
        cell.write(points, time.monotonic() - began)
        display.note(f"{cell.method.label}, seed {cell.seed}: {_last(points)}")


def _last(points: Sequence[Point]) -> str:
    return "  ".join(f"{name} {value:.3g}" for name, value in points[-1].items() if name != "step")

"""Every method at every seed. A cell that is done is a file; a comparison that was killed goes on with the others."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from posttrain.errors import ConfigError, StorageError
from posttrain.evaluation.compare.cell import Point, curve, steps_of
from posttrain.evaluation.compare.contender import Contender, contenders
from posttrain.evaluation.compare.task import Task, load
from posttrain.runs import durable
from posttrain.runs.directory import RunDirectory, slug
from posttrain.viewer.display import Display

Curves = dict[str, dict[int, list[Point]]]  # method -> seed -> what was measured, in the order of steps


@dataclass(frozen=True)
class Comparison:
    """What was found. `curves` of every method at every seed; `task` as it is at the first seed."""

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
    """Train each method at each seed on the task's budget. At one seed all of them see the same data in the same order.

    `methods`: "preference/dpo", "preference/dpo:beta=0.5". What cannot run on the task is a ConfigError before
    anything is trained.
    """
    fielded, asked = contenders(methods), dict(settings or {})
    maker = load(task, asked)
    config = {"compare": list(methods), "task": {"path": task, **asked}, "seeds": seeds}
    with RunDirectory.create(output, name, config, hint=f"compare-{Path(task).stem}", resume=resume) as directory:
        shared = directory.path / "task"
        shared.mkdir(exist_ok=True)
        made = cache(lambda seed: maker(shared, seed, **asked))
        for method in fielded:
            method.check(made(0))
        cells = [Cell(directory.path / "cells", m, config["task"], seed) for seed in range(seeds) for m in fielded]
        _fill(cells, made, display or Display())
        curves: Curves = {m.label: {} for m in fielded}
        for cell in cells:
            curves[cell.method.label][cell.seed] = cell.read()
        return Comparison(directory.path, Path(task).stem, made(0), curves)


@dataclass(frozen=True)
class Cell:
    """A method at a seed, and the file that says what came of it."""

    folder: Path
    method: Contender
    task: Any
    seed: int

    @property
    def path(self) -> Path:
        return self.folder / f"{slug(self.method.label)}-{self.seed}.json"

    @property
    def identity(self) -> dict[str, Any]:
        told = {**asdict(self.method), "task": self.task, "seed": self.seed}
        return dict(json.loads(json.dumps(told, default=str)))

    @property
    def done(self) -> bool:
        return self.path.exists()

    def write(self, points: Sequence[Point], seconds: float) -> None:
        self.folder.mkdir(exist_ok=True)
        content = {**self.identity, "seconds": round(seconds, 1), "points": list(points)}
        durable.write_text(self.path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def read(self) -> list[Point]:
        """StorageError for a damaged file, ConfigError for one of another method or task."""
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


def _fill(cells: Sequence[Cell], made: Any, display: Display) -> None:
    """Run the cells that are missing."""
    steps = steps_of(made(0))
    missing = [cell for cell in cells if not cell.done]
    for cell in cells:
        if cell.done:
            cell.read()  # stops before anything is trained, if it is another comparison's
    before = (len(cells) - len(missing)) * steps
    header = [f"{len(cells)} cells of {steps} steps, {len(missing)} to go"]
    display.start("comparison", len(cells) * steps, header, first_step=before)
    for number, cell in enumerate(missing):
        began, passed = time.monotonic(), before + number * steps

        def seen(done: int, passed: int = passed) -> None:
            display.step(passed + min(done, steps), {})

        points = curve(cell.method, made(cell.seed), cell.seed, seen)
        cell.write(points, time.monotonic() - began)
        display.note(f"{cell.method.label}, seed {cell.seed}: {_last(points)}")


def _last(points: Sequence[Point]) -> str:
    return "  ".join(f"{name} {value:.3g}" for name, value in points[-1].items() if name != "step")

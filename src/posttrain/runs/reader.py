"""Read what a run left, or has written so far, without touching it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from posttrain.errors import StorageError, suggestion
from posttrain.runs.ending import FINISHED, read_facts
from posttrain.runs.lock import owner_of

QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C, ten times as fast


@dataclass(frozen=True)
class RunReader:
    """A run directory. Files may be missing, and the last line of one may be incomplete: somebody may be writing."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> RunReader:
        """Open a run by its folder, or by one inside it (`final`, a checkpoint). Raises StorageError if it is none."""
        for candidate in (folder, folder.parent, folder.parent.parent):
            if is_run(candidate):
                return cls(candidate)
        if not folder.is_dir():
            beside = [p.name for p in folder.parent.iterdir() if is_run(p)] if folder.parent.is_dir() else []
            raise StorageError(f"{folder}: no such folder{suggestion(folder.name, beside)}")
        raise StorageError(f"{folder}: neither a run nor a folder of runs (run.json is missing)")

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.folder.name

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What run.json says about the last attempt."""
        return read_facts(self.folder)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved run file; empty if it cannot be read."""
        try:
            content = yaml.load((self.folder / "config.yaml").read_text(encoding="utf-8"), QUICK)  # noqa: S506
        except (OSError, ValueError, yaml.YAMLError):
            return {}
        return content if isinstance(content, dict) else {}

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl. Raises StorageError for a damaged one; a torn last line is left out."""
        return rows_of(self.folder / "metrics.jsonl")

    @property
    def steps(self) -> int:
        """The last step that has metrics."""
        return int(self.rows[-1]["step"]) if self.rows else 0

    @property
    def last(self) -> dict[str, float]:
        """The latest value of every metric, in the order of their first appearance."""
        latest: dict[str, float] = {}
        for row in self.rows:
            latest |= {n: x for n, x in row.items() if n != "step" and isinstance(x, int | float)}
        return latest

    @property
    def ended(self) -> Mapping[str, Any]:
        """How the last attempt ended; empty if it is running or was killed."""
        ended = self.facts.get("ended")
        return ended if isinstance(ended, dict) else {}

    @property
    def left_out(self) -> frozenset[str]:
        """Metrics whose value says nothing in this run."""
        return frozenset((self.facts.get("metrics") or {}).get("without_meaning", ()))

    @property
    def evaluations(self) -> list[str]:
        """A line for each evaluation of a run that has ended."""
        return [str(line).removeprefix("- ") for line in self.ended.get("evaluations", ())]

    @cached_property
    def status(self) -> str:
        """In words, whether the run is finished, running, or ended otherwise and why."""
        return self.status_at(self.steps)

    def status_at(self, steps: int) -> str:
        """Return the same for who knows the number of steps, so that the metrics need not be read."""
        owner = owner_of(self.folder / ".lock")
        if owner is not None and owner.alive:
            return f"running, process {owner.pid} on {owner.host}, step {steps}"
        how, why = self.ended.get("how"), str(self.ended.get("why") or "")
        if how == FINISHED:
            return f"finished after {steps} steps"
        if how is not None:
            return f"{how} at step {steps}{f': {why}' if why else ''}"
        return f"ended without a word at step {steps}: its process was killed, or lost its machine"

    def samples(self, count: int) -> list[dict[str, Any]]:
        """Return answers of the latest step that has samples, at most `count`."""
        files = sorted((self.folder / "samples").glob("step-*.jsonl"))
        return rows_of(files[-1])[:count] if files else []


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a run."""
    return (folder / "run.json").is_file()


def holds_runs(folder: Path) -> bool:
    """Whether a folder has runs in it."""
    return folder.is_dir() and any(is_run(inside) for inside in folder.iterdir())


def means_run(text: str) -> bool:
    """Whether somebody who writes this means a run: it is one, holds some, or would lie beside others if it existed."""
    path = Path(text)
    misspelt = "/" in text and not path.exists() and holds_runs(path.parent)
    return is_run(path) or holds_runs(path) or misspelt


def find_runs(folders: list[Path]) -> list[RunReader]:
    """Open runs; a folder of runs stands for all of them. Raises StorageError for what is neither."""
    found: list[RunReader] = []
    for folder in folders:
        inside = [] if is_run(folder) or not folder.is_dir() else sorted(p for p in folder.iterdir() if is_run(p))
        found += [RunReader(p) for p in inside] or [RunReader.at(folder)]
    return found


def rows_of(file: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines, one row each; none if it does not exist. A torn last line is left out."""
    if not file.is_file():
        return []
    lines = file.read_bytes().split(b"\n")
    rows = []
    for number, line in enumerate(lines[:-1], 1):  # behind the last newline: nothing, or a line under way
        try:
            row = json.loads(line)
            rows.append({"step": int(row["step"]), **row})
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(f"{file}:{number}: cannot be read; delete this line") from error
    return rows

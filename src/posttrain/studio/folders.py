"""The runs of the folders that a studio was opened for. A run is found by its name in a listing, never by a path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from posttrain.errors import StorageError
from posttrain.runs.reader import RunReader, is_run
from posttrain.studio.refusal import missing

PARTS = ("run.json", "config.yaml", "metrics.jsonl", ".lock", "samples", "evaluations", "checkpoints", "logs")
SAMPLES = re.compile(r"step-(\d{1,12})\.jsonl")


class Folders:
    """Runs, and folders of runs. What lies outside is not shown: links out of a folder are left out."""

    def __init__(self, roots: Sequence[Path]) -> None:
        for root in roots:
            if not root.is_dir():
                raise StorageError(f"{root}: no such folder; name a run, or a folder of runs")
        self.roots = tuple(root.resolve() for root in roots)

    @property
    def annotations(self) -> Path:
        """The only folder that a studio writes to."""
        return self.roots[0] / "annotations"

    def runs(self) -> dict[str, Path]:
        """Return the folder of every run by its name, in order; equal names get a number."""
        found: dict[str, Path] = {}
        for root in self.roots:
            folders = [root] if is_run(root) else sorted(p for p in root.iterdir() if is_run(p))
            for folder in folders:
                if not leads_out(folder, root):
                    found[free_name(folder.name, found)] = folder
        return found

    def run(self, name: str) -> RunReader:
        """Open a run. RefusalError if there is none of this name."""
        folder = self.runs().get(name)
        if folder is None:
            raise missing(f"run {name!r:.200}")
        return RunReader(folder)


def leads_out(folder: Path, root: Path) -> bool:
    """Whether a folder, or what is read in it, is a link to somewhere outside."""
    if not folder.resolve().is_relative_to(root):
        return True
    links = (path for name in PARTS if (path := folder / name).is_symlink())
    return any(not link.resolve().is_relative_to(folder.resolve()) for link in links)


def free_name(name: str, taken: dict[str, Path]) -> str:
    """Return a name that no other run has."""
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}~{number}", number + 1
    return free


def sampled_steps(folder: Path) -> dict[int, Path]:
    """Return the files of a run's samples by step, in order. Links are left out."""
    samples = folder / "samples"
    files = samples.iterdir() if samples.is_dir() else ()
    named = ((SAMPLES.fullmatch(file.name), file) for file in files if not file.is_symlink())
    return dict(sorted((int(match[1]), file) for match, file in named if match))


def answer_files(folder: Path) -> dict[str, Path]:
    """Return the files that hold answers, by step as text, the latest last, and before them evaluations by name."""
    measured = {file.stem: file for file in plain_files(folder / "evaluations", ".jsonl")}
    return {**measured, **{str(step): file for step, file in sampled_steps(folder).items()}}


def latest(files: dict[str, Path]) -> str:
    """Return the name of the latest file of answers; empty if there is none."""
    return next(reversed(files), "")


def plain_files(folder: Path, ending: str) -> list[Path]:
    """Return the files of a folder with this ending, by name. Links are left out."""
    files = folder.glob(f"*{ending}") if folder.is_dir() and not folder.is_symlink() else ()
    return sorted(file for file in files if file.is_file() and not file.is_symlink())

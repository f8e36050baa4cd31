"""Names of runs: which folder a run gets, and whether it may write there."""

from __future__ import annotations

import re
from pathlib import Path

from posttrain.errors import StorageError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
NUMBERED = 9999  # automatic names end in -001, -002, ...
# What a run writes before it has a result.
DESCRIPTION = (".lock", "config.yaml", "run.json", "logs", "rewards.log")


def claim(parent: Path, name: str | None, hint: str, resume: bool) -> Path:
    """Choose the folder of the run and create it. Only one process can create, and so claim, an automatic name."""
    if name is not None:
        (parent / name).mkdir(parents=True, exist_ok=True)
        return parent / name
    parent.mkdir(parents=True, exist_ok=True)
    numbers = taken_numbers(parent, hint)
    if resume and numbers:
        return parent / f"{hint}-{numbers[-1]:03d}"
    for number in range(numbers[-1] + 1 if numbers else 1, NUMBERED + 1):
        path = parent / f"{hint}-{number:03d}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise StorageError(f"{parent}: all names up to {hint}-{NUMBERED} are taken; give the run a name of its own")


def taken_numbers(parent: Path, hint: str) -> list[int]:
    """List the numbers of the automatic names that exist, in order."""
    matches = (re.fullmatch(re.escape(hint) + r"-(\d{3,4})", path.name) for path in parent.iterdir())
    return sorted(int(match[1]) for match in matches if match)


def slug(hint: str) -> str:
    """Turn a hint into part of a folder name: `online/grpo` becomes `online-grpo`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", hint).strip("-._") or "run"


def check(path: Path, resume: bool) -> None:
    """Refuse a folder that holds a run unless it is resumed, and one that holds something else.

    The folder of a run that ended before its first result counts as empty.
    """
    if is_blank(path):
        return
    if not (path / "run.json").is_file() and not (path / "logs").is_dir():
        raise StorageError(f"{path}: not a run directory (run.json is missing); choose another name")
    if not resume:
        raise StorageError(f"{path}: this run exists; continue it with --resume, or choose another name")


def is_blank(path: Path) -> bool:
    """Whether a folder is empty, or holds no more than the description of a run that has no result yet."""
    shown = [entry.name for entry in path.iterdir() if not entry.name.startswith(".")]
    if shown and "run.json" not in shown:
        return False
    results = (entry for entry in path.iterdir() if entry.name not in DESCRIPTION)
    return not any(file.is_file() and file.stat().st_size for entry in results for file in (entry, *entry.rglob("*")))


def next_attempt(path: Path) -> int:
    """Return one more than the last attempt that left a folder."""
    matches = (re.fullmatch(r"attempt_(\d+)", folder.name) for folder in (path / "logs").glob("attempt_*"))
    return 1 + max((int(match[1]) for match in matches if match), default=0)

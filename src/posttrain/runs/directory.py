"""The directory of one run: its lock, its settings and its layout.

    runs/<name>/  config.yaml  run.json  metrics.jsonl  samples/  checkpoints/  latest  logs/attempt_<n>/

`config.yaml` and `run.json` describe the last attempt; each attempt keeps its own copy under `logs/`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import uuid
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from posttrain.errors import ConfigError, StorageError
from posttrain.runs import durable
from posttrain.runs.lock import RunLock
from posttrain.runs.provenance import provenance

log = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
NUMBERED = 9999  # automatic names end in -001, -002, ...


class RunDirectory:
    """A run directory that this process has locked. `create` opens one; `close` (or `with`) releases the lock."""

    def __init__(self, path: Path, lock: RunLock, attempt: int) -> None:
        self.path = path
        self.lock = lock
        self.attempt = attempt

    @classmethod
    def create(
        cls,
        parent: Path,
        name: str | None,
        config: Mapping[str, Any],
        *,
        hint: str = "run",
        seed: int | None = None,
        resume: bool = False,
    ) -> RunDirectory:
        """Open `parent/name` for writing: a new run or, with `resume`, an existing one.

        Without a name it is `<hint>-001`, `<hint>-002`, ...; resuming without one takes the newest of these. Raises
        StorageError when the run exists and `resume` is false, or when it is in use or cannot be written.
        """
        if name is not None and not NAME.fullmatch(name):
            raise ConfigError(f"run name {name!r}: use letters, digits, '.', '_' and '-', with no '/'")
        try:
            path = claim(parent, name, slug(hint), resume)
            lock = RunLock(path / ".lock")
            lock.acquire()
            try:
                check(path, resume)
                run = cls(path, lock, next_attempt(path))
                run._describe(config, seed)
            except BaseException:
                lock.release()
                raise
        except OSError as error:
            where = error.filename or parent
            raise StorageError(
                f"{where}: cannot be written ({error.strerror}); choose another output directory"
            ) from error
        return run

    @cached_property
    def id(self) -> str:
        """Unique id of the run, 32 hexadecimal digits. It stays the same when the folder is moved."""
        for file in sorted((self.path / "logs").glob("attempt_*/run.json")):
            with contextlib.suppress(OSError, ValueError, KeyError):
                return str(json.loads(file.read_text(encoding="utf-8"))["id"])
        return uuid.uuid4().hex

    @property
    def name(self) -> str:
        """Name of the run: the last part of the path."""
        return self.path.name

    @property
    def metrics(self) -> Path:
        """File with one line of JSON per step."""
        return self.path / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        """Folder with the answers that the model wrote."""
        return self.path / "samples"

    @property
    def logs(self) -> Path:
        """Folder of this attempt's log files."""
        return self.path / "logs" / f"attempt_{self.attempt}"

    @property
    def final(self) -> Path:
        """Folder for the finished model."""
        return self.path / "final"

    def add(self, **facts: Mapping[str, Any]) -> None:
        """Add facts about this attempt to run.json: `add(dropped={"a.jsonl": ["a.jsonl:3: ..."]})`."""
        known = json.loads((self.logs / "run.json").read_text(encoding="utf-8"))
        self._write_facts(known | {name: known.get(name, {}) | dict(new) for name, new in facts.items()})

    def close(self) -> None:
        """Release the lock, so that another process may write here. May be called twice."""
        self.lock.release()

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _describe(self, config: Mapping[str, Any], seed: int | None) -> None:
        self.logs.mkdir(parents=True)
        warn_of_changes(self.path / "config.yaml", config)
        settings = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
        for folder in (self.logs, self.path):
            durable.write_text(folder / "config.yaml", settings)
        self._write_facts({"id": self.id, "attempt": self.attempt, **provenance(seed)})

    def _write_facts(self, facts: Mapping[str, Any]) -> None:
        for folder in (self.logs, self.path):
            durable.write_text(folder / "run.json", json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


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
    """Refuse a folder that holds a run unless it is resumed, and one that holds something else."""
    if not any(not entry.name.startswith(".") for entry in path.iterdir()):
        return
    if not resume:
        raise StorageError(f"{path}: this run exists; continue it with --resume, or choose another name")
    if not (path / "run.json").is_file() and not (path / "logs").is_dir():
        raise StorageError(f"{path}: not a run directory (run.json is missing); choose another name")


def next_attempt(path: Path) -> int:
    """Return one more than the last attempt that left a folder."""
    matches = (re.fullmatch(r"attempt_(\d+)", folder.name) for folder in (path / "logs").glob("attempt_*"))
    return 1 + max((int(match[1]) for match in matches if match), default=0)


def warn_of_changes(path: Path, config: Mapping[str, Any]) -> None:
    """Log each setting in which a resumed run differs from its last attempt."""
    if not path.exists():
        return
    before, now = flattened(yaml.safe_load(path.read_text(encoding="utf-8")) or {}), flattened(config)
    for key in sorted(before.keys() | now.keys()):
        if before.get(key) != now.get(key):
            log.warning("resumed with %s: %r, was %r", key, now.get(key), before.get(key))


def flattened(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested settings: `{"train": {"steps": 3}}` becomes `{"train.steps": 3}`."""
    settings: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            settings |= flattened(value, f"{prefix}{key}.")
        else:
            settings[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return settings

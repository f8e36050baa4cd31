"""The directory of one run: its lock, its settings and its layout.

    runs/<name>/  config.yaml  run.json  metrics.jsonl  samples/  checkpoints/  latest  logs/attempt_<n>/

`config.yaml` and `run.json` describe the last attempt; each attempt keeps its own copy under `logs/`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shlex
import shutil
import sys
import uuid
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from posttrain.errors import ConfigError, StorageError
from posttrain.runs import durable
from posttrain.runs.changes import told
from posttrain.runs.lock import RunLock
from posttrain.runs.log import FILE, RunLog
from posttrain.runs.names import NAME, check, claim, is_blank, next_attempt, slug
from posttrain.runs.provenance import provenance

log = logging.getLogger(__name__)


class RunDirectory:
    """A run directory that this process has locked. `create` opens one; `close` (or `with`) releases the lock.

    Apart from the lock nothing is written before `begin`, so that a refused resume leaves the run as it was.
    """

    def __init__(
        self, path: Path, lock: RunLock, config: Mapping[str, Any], seed: int | None, log: RunLog | None = None
    ) -> None:
        self.path = path
        self.lock = lock
        self.attempt = next_attempt(path)
        self.was_blank = is_blank(path)
        self.described = False
        self._config = dict(config)
        self.seed = seed
        self.log = log
        self._facts: dict[str, Any] = {}

    @classmethod
    def create(cls, parent: Path, name: str | None, config: Mapping[str, Any], **how: Any) -> RunDirectory:
        """Open and describe `parent/name`; the arguments and errors are those of `claimed`."""
        run = cls.claimed(parent, name, config, **how)
        try:
            run.begin()
        except BaseException:
            run.close()
            raise
        return run

    @classmethod
    def claimed(
        cls,
        parent: Path,
        name: str | None,
        config: Mapping[str, Any],
        *,
        hint: str = "run",
        seed: int | None = None,
        resume: bool = False,
        log: RunLog | None = None,
    ) -> RunDirectory:
        """Lock `parent/name`, a new run or, with `resume`, an existing one. Nothing is written before `begin`.

        `log`: is written to the attempt's folder from `begin` on, and closed with the directory.
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
                return cls(path, lock, config, seed, log)
            except BaseException:
                lock.release()
                raise
        except OSError as error:
            raise cannot_write(parent, error) from error

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

    @property
    def config(self) -> Path:
        """The resolved run file of the last attempt."""
        return self.path / "config.yaml"

    def last_config(self) -> dict[str, Any]:
        """Read the resolved run file of the last attempt; empty if there is none."""
        try:
            content = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            return {}
        return content if isinstance(content, dict) else {}

    def check_seed(self, began: int | None) -> None:
        """Raise ConfigError if the run began with another seed."""
        if began is not None and self.seed is not None and began != self.seed:
            raise ConfigError(
                f"seed: {self.seed}, but {self.path} began with {began}, from which the order of its records and the "
                f"randomness of its answers derive; resume with seed={began}, or start a new run"
            )

    def begin(self) -> None:
        """Write the settings and the provenance of this attempt, once. Raises StorageError."""
        if self.described:
            return
        try:
            self.logs.mkdir(parents=True)
            if self.log is not None:
                self.log.open(self.logs / FILE)
                self.log.say("BEGIN", f"attempt {self.attempt} of {self.path}: {shlex.join(sys.argv)}")
            if self.config.exists():
                for line in told(self.last_config(), self._config):
                    log.warning("resumed with %s", line)
            settings = yaml.safe_dump(self._config, sort_keys=False, allow_unicode=True)
            for folder in (self.logs, self.path):
                durable.write_text(folder / "config.yaml", settings)
            self._facts = {"id": self.id, "attempt": self.attempt, **provenance(self.seed), **self._facts}
            self.described = True
            self.add()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def add(self, **facts: Mapping[str, Any]) -> None:
        """Add facts about this attempt to run.json: `add(dropped={"a.jsonl": ["a.jsonl:3: ..."]})`."""
        if self.log is not None and (ended := facts.get("ended")):
            self.log.say("END", f"{ended['how']} after {ended['steps']} steps. {ended.get('why', '')}".rstrip())
        self._facts |= {name: {**self._facts.get(name, {}), **new} for name, new in facts.items()}
        if self.described:
            text = json.dumps(self._facts, indent=2, ensure_ascii=False) + "\n"
            for folder in (self.logs, self.path):
                durable.write_text(folder / "run.json", text)

    def give_back(self) -> bool:
        """Remove the folder of a run that failed before its first result, so that its name is free again.

        Returns whether it was removed. One in which an earlier attempt left results stays, and so does what rewards
        have printed: it may say why the run failed.
        """
        printed = (self.path / "rewards.log").is_file()
        if printed or not (self.was_blank and self.path.is_dir() and is_blank(self.path)):
            return False
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)
        return not self.path.exists()

    def close(self) -> None:
        """Release the lock, so that another process may write here. May be called twice."""
        if self.log is not None:
            self.log.close()
        self.lock.release()

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def cannot_write(path: Path, error: OSError) -> StorageError:
    """Return the user's error for a folder that cannot be written."""
    return StorageError(
        f"{error.filename or path}: cannot be written ({error.strerror}); choose another output directory"
    )

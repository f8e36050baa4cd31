"""Replies on disk, keyed by the exact request. A damaged entry is requested again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)


def key_of(url: str, body: Mapping[str, Any]) -> str:
    """Hash a request with its sampling settings and seed. Credentials are no part of it."""
    return _digest({"url": url, "body": body})


class Cache:
    """One file per entry, complete or absent: written under another name, synced, then linked.

    The first reply to a request is kept: a process that comes second uses what the first one wrote.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.damaged = 0

    def get(self, key: str) -> Any | None:
        """Return the reply, or None if there is none with a correct checksum."""
        file = self._file(key)
        try:
            entry = json.loads(file.read_bytes())
            if entry["sha256"] != _digest([key, entry["reply"]]):
                raise ValueError("its checksum differs")
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            self.damaged += 1
            _log.warning("%s is damaged (%s) and will be asked for again", file, error)
            file.unlink(missing_ok=True)
            return None
        return entry["reply"]

    def put(self, key: str, reply: Any) -> Any:
        """Store a reply; return the one that is kept, which may be an earlier one."""
        file = self._file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump({"sha256": _digest([key, reply]), "reply": reply}, stream)
                stream.flush()
                os.fsync(stream.fileno())
            with suppress(FileExistsError):
                os.link(name, file)
        finally:
            os.unlink(name)
        kept = self.get(key)
        return reply if kept is None else kept

    def _file(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=list)
    return hashlib.sha256(text.encode()).hexdigest()

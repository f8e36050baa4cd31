"""Rows of whatever the run file names: files, folders, patterns, generators, datasets on the hub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posttrain.data import bundled
from posttrain.data.readers.files import READERS, read_file
from posttrain.data.readers.folders import PATTERN, files_of, suffix_of
from posttrain.data.readers.hub import SETTINGS, hub_rows
from posttrain.errors import ConfigError, DataError, suggestion

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def rows(spec: str, kind: str, seed: int, size: int | None, *, stream: bool = False) -> Iterator[tuple[Any, ...]]:
    """Yield the place and the columns of every row; of several files also the number of the file.

    `stream`: read no more at once than is asked for. DataError for files that are read as a whole.
    """
    if _in_files(spec):
        found = files_of(spec, READERS)
        if stream and (whole := next((f for f in found if suffix_of(f) == ".json"), None)):
            raise DataError(
                f"{whole}: a JSON file is read as a whole, so it cannot be streamed; write one object per line "
                "(.jsonl), or remove stream"
            )
        files = enumerate(found)
        return ((where, row, number) for number, file in files for where, row in read_file(file))
    name, settings = parse_spec(spec)
    if name in bundled.names():
        return bundled.rows(name, settings, kind, seed=seed, size=size)
    if HUB_ID.fullmatch(name):
        if unknown := [s for s in settings if s not in SETTINGS]:
            raise ConfigError(f"{spec}: unknown setting {unknown[0]!r}; a hub dataset takes {', '.join(SETTINGS)}")
        return hub_rows(name, settings, stream=stream)
    raise DataError(
        f"{spec}: no such data{suggestion(name, bundled.names())}; give a file ({', '.join(READERS)}), "
        f"a generator ({', '.join(bundled.names())}) or a hub id (owner/name)"
    )


def _in_files(spec: str) -> bool:
    path = Path(spec)
    return suffix_of(path) in READERS or path.exists() or bool(PATTERN.search(spec))


def extent(spec: str) -> int:
    """Return the bytes of the files of a source; 0 for what is in no file."""
    found = files_of(spec, READERS) if _in_files(spec) else []
    return sum(f.stat().st_size for f in found if f.exists())


def is_bundled(spec: str) -> bool:
    """Whether the rows come from a bundled generator."""
    return spec.partition(":")[0] in bundled.names() and not Path(spec).exists()


def parse_spec(spec: str) -> tuple[str, dict[str, str]]:
    """Split `name:level=2,split=test` into the name and its settings."""
    name, colon, rest = spec.partition(":")
    pairs = [part.partition("=") for part in rest.split(",")] if colon else []
    if bad := next((key + sign for key, sign, value in pairs if not (key and sign and value)), None):
        raise ConfigError(f"{spec}: cannot read {bad!r}; settings are written name:key=value,key=value")
    settings = {key.strip(): value.strip() for key, _, value in pairs}
    if len(settings) < len(pairs):
        raise ConfigError(f"{spec}: a setting is given twice")
    return name, settings

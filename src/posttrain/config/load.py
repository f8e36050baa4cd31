"""Reads a run file (or a mapping) with its overrides into a checked run, and turns a run back into plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from posttrain.config import overrides as changes
from posttrain.config.problems import report
from posttrain.config.schema import RunFile
from posttrain.config.yaml_ import MAX_BYTES, Document, parse
from posttrain.errors import ConfigError, suggestion


def load(
    source: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    base: Path | None = None,
    complete: bool = True,
) -> RunFile:
    """Return the run that a file or a mapping describes, with `key=value` overrides applied.

    `base` is the folder where `./mine.py` is looked for first; by default the folder of the file. `complete=False`
    accepts a run file of a model alone, for a session that samples or evaluates. Raises one ConfigError that names
    every problem with its line.
    """
    if isinstance(source, Mapping):
        document = Document(_plain(source))
    else:
        document = read(Path(source))
        base = base or Path(source).parent
    document = changes.apply(changes.without_aliases(document), changes.parse(overrides))
    document = changes.without_aliases(document)  # in a mapping from the command line: model.lora={r: 8}
    try:
        return RunFile.model_validate(document.value, context={"base": base or Path.cwd(), "complete": complete})
    except ValidationError as error:
        raise ConfigError(report(error, document)) from None


Checked = TypeVar("Checked", bound=BaseModel)


def check(section: type[Checked], values: Mapping[str, Any], name: str) -> Checked:
    """Return a section of a run file from plain values. Raises ConfigError as `load` does, with `name` as its place."""
    try:
        return section.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(f"{name}: {report(error, Document(dict(values)))}") from None


def read(path: Path) -> Document:
    """Return the plain values of a YAML file, each with its line. Raises ConfigError if it cannot be read."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        beside = [p.name for p in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
        raise ConfigError(f"{path}: there is no such file{suggestion(path.name, beside)}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path}: has {len(raw)} bytes; a run file has at most {MAX_BYTES}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: is not UTF-8 text") from None
    return parse(text, str(path))


def resolved(run: RunFile) -> dict[str, Any]:
    """Return every key with its value, as plain data: `load(resolved(run), base=run.base) == run`."""
    values: dict[str, Any] = _plain(run.model_dump())
    return values


def _plain(value: Any) -> Any:
    """Return a fresh copy of dicts and lists, with paths as text, as YAML can hold them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value

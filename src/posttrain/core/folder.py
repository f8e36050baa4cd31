"""The files of a package as names: how kinds of records and outputs of models are found."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path


def file_names(path: Iterable[str]) -> tuple[str, ...]:
    """List the modules below the `__path__` of a package, sorted, without `__init__`."""
    return _listed(tuple(path))


@functools.cache
def _listed(folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({f.stem for folder in folders for f in Path(folder).glob("*.py")} - {"__init__"}))

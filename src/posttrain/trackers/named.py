"""The trackers by name: whether they are installed, and a follower of each for a run."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import partial
from importlib.util import find_spec
from types import ModuleType

from posttrain.errors import MissingExtraError
from posttrain.trackers.follower import Follower
from posttrain.trackers.tracker import About


def check_installed(names: Iterable[str]) -> None:
    """Raise MissingExtraError for a tracker whose package is not installed."""
    for name in names:
        if find_spec(_module(name).PACKAGE) is None:
            raise MissingExtraError(f"report: {name}", name)


def follow(name: str, about: About) -> Follower:
    """Begin to follow a run with a tracker."""
    return Follower(name, partial(_module(name).start, about))


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"posttrain.trackers.{name}")

"""Groups of processes that tests share: starting a process costs seconds, a call of one a millisecond."""

from __future__ import annotations

import atexit

from posttrain.backends.fsdp.group import Group, start

_groups: dict[int, Group] = {}


def group(size: int = 2) -> Group:
    """The group of this size; another size ends the one before."""
    for other in [s for s in _groups if s != size]:
        _groups.pop(other).close()
    if size not in _groups:
        _groups[size] = start(size, timeout=60)
        atexit.register(close)
    return _groups[size]


def close() -> None:
    """End all groups."""
    while _groups:
        _groups.popitem()[1].close()

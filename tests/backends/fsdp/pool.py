"""Groups of processes that tests share: a call of one takes a millisecond, and starting one takes more."""

from __future__ import annotations

import atexit

import pytest

from posttrain.backends.fsdp import group as module
from posttrain.backends.fsdp.group import Group
from tests.backends.fsdp.nursery import child

_groups: dict[int, Group] = {}


def group(size: int = 2) -> Group:
    """The group of this size; another size ends the one before."""
    if size not in _groups or _groups[size].closed:
        close()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_child", child)
            _groups[size] = module.start(size, timeout=60)
        atexit.register(close)
    return _groups[size]


def close() -> None:
    """End the group: a process can be in one at a time."""
    while _groups:
        _groups.popitem()[1].close()

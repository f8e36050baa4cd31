"""The interface of a kind of sandbox: how its process is started, and which rights the process drops first."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Literal, Protocol

from posttrain.sandbox.limits import Limits

Name = Literal["bubblewrap", "landlock", "wasm", "none"]

ENVIRONMENT = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "HOME": "/tmp"}  # noqa: S108 -- of the sandbox
FLAGS = ("-s", "-S", "-B", "-X", "utf8")  # Python with nothing but its standard library
_FIRST_USER, _USERS = 65000, 500  # numbers that no user of a system has
_started = count()


@dataclass(frozen=True)
class Restrictions:
    """Arguments of `inside.restrict.restrict`: resource limits, Landlock, and the seccomp filter."""

    limits: dict[str, int]
    confined: bool  # to Python's libraries, by Landlock
    instructions: bytes


class Tier(Protocol):
    """A kind of sandbox."""

    @property
    def name(self) -> Name: ...

    @property
    def own_user(self) -> bool:
        """Whether root must start its process as a user that owns nothing."""
        ...

    def __hash__(self) -> int: ...

    def command(self, limits: Limits) -> list[str]:
        """Return the command that starts Python in it, up to Python's own arguments. Raises OSError if unavailable."""
        ...

    def restrictions(self, pid: int, limits: Limits) -> Restrictions | None:
        """Return the rights that the process `pid` must drop; None if the command takes care of everything."""
        ...


@cache
def interpreter() -> str:
    """Return our Python without its virtual environment; for root the system's, if other users cannot reach ours.

    Raises FileNotFoundError if there is none that other users can run.
    """
    ours = os.path.realpath(sys.executable)
    if os.geteuid() != 0 or _reachable(ours):
        return ours
    system = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    if system is None or not _reachable(os.path.realpath(system)):
        raise FileNotFoundError(f"root's Python, {ours}, is closed to other users: install python3 for all")
    return os.path.realpath(system)


def _reachable(program: str) -> bool:
    """Whether every user may run the program."""
    return all(path.stat().st_mode & stat.S_IXOTH for path in (Path(program), *Path(program).parents))


def user() -> int | None:
    """Pick a user for a process that root starts, so that it owns nothing and its threads can be counted."""
    return _FIRST_USER + (os.getpid() + next(_started)) % _USERS if os.geteuid() == 0 else None

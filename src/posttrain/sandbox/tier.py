"""What a kind of sandbox has to say: how its process is started, and what the process gives up first."""

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
FLAGS = ("-s", "-S", "-B", "-X", "utf8")  # Python with its standard library alone
_FIRST_USER, _USERS = 65000, 500  # no user of a system has one of these numbers
_started = count()


@dataclass(frozen=True)
class Restrictions:
    """Arguments of `inside.restrict.restrict`."""

    limits: dict[str, int]
    confined: bool  # to Python's libraries, by Landlock
    instructions: bytes


class Tier(Protocol):
    """A kind of sandbox."""

    @property
    def name(self) -> Name: ...

    @property
    def own_user(self) -> bool:
        """Whether root starts its process as a user that owns nothing."""
        ...

    def __hash__(self) -> int: ...

    def command(self, limits: Limits) -> list[str]:
        """The command that starts Python in it, up to Python's own arguments. Raises OSError where there is none."""
        ...

    def restrictions(self, pid: int, limits: Limits) -> Restrictions | None:
        """What the process `pid` gives up; None where the command has seen to everything."""
        ...


@cache
def interpreter() -> str:
    """Our Python without its virtual environment; for root the system's, if no other user can reach ours.

    Raises FileNotFoundError when there is none.
    """
    ours = os.path.realpath(sys.executable)
    if os.geteuid() != 0 or _reachable(ours):
        return ours
    found = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    if found is None or not _reachable(os.path.realpath(found)):
        raise FileNotFoundError(f"root's Python, {ours}, is closed to other users: install python3 for all")
    return os.path.realpath(found)


def _reachable(program: str) -> bool:
    """Whether every user may run it."""
    return all(path.stat().st_mode & stat.S_IXOTH for path in (Path(program), *Path(program).parents))


def user() -> int | None:
    """A user of its own for a process that root starts, so that it owns nothing and its threads can be counted."""
    return _FIRST_USER + (os.getpid() + next(_started)) % _USERS if os.geteuid() == 0 else None

"""One process per run directory. The lock file names its owner, so that a refusal can, and a dead owner is noticed."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from posttrain.errors import StorageError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Owner:
    """A process on a machine. `born` distinguishes it from a later one with the same number; empty if unknown."""

    pid: int
    host: str
    born: str

    @classmethod
    def current(cls) -> Owner:
        """Return the calling process."""
        return cls(os.getpid(), socket.gethostname(), birth(os.getpid()))

    @property
    def alive(self) -> bool:
        """Whether it may still be writing. A process of another machine counts as alive, since it cannot be checked."""
        if self.host != socket.gethostname():
            return True
        return exists(self.pid) and self.born == birth(self.pid)


def exists(pid: int) -> bool:
    """Whether a process with this number is running here."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # it runs under another user
    return True


def birth(pid: int) -> str:
    """Return the boot and the clock tick at which a process started; empty for a zombie and without /proc."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()  # the name before it may contain blanks and brackets
    return "" if state == "Z" else f"{boot}/{fields[18]}"


class RunLock:
    """The lock of one directory. It is free if its file is missing, empty, unreadable or names a dead process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.owner: Owner | None = None

    def acquire(self) -> None:
        """Take the lock, or raise a StorageError that names the owner. The lock of a dead owner is taken over."""
        with self._exclusive() as descriptor:
            owner = read_owner(descriptor)
            if owner and owner.alive:
                raise StorageError(refusal(self.path, owner))
            if owner:
                log.warning("%s: process %d is gone; its lock was taken over", self.path.parent, owner.pid)
            self.owner = Owner.current()
            write_owner(descriptor, self.owner)

    def release(self) -> None:
        """Free the lock. Does nothing in a forked child, or if another process has taken it since."""
        if self.owner != Owner.current() or not self.path.exists():
            return
        with self._exclusive() as descriptor:
            if read_owner(descriptor) == self.owner:
                os.ftruncate(descriptor, 0)
        self.owner = None

    @contextmanager
    def _exclusive(self) -> Iterator[int]:
        # The kernel's lock is held only while the file is read and written: of two processes that find the same
        # dead owner, one wins. It cannot serve as the lock of the run, because forked workers would inherit it.
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def read_owner(descriptor: int) -> Owner | None:
    """Read the owner in the lock file; None if it names none."""
    try:
        fields = json.loads(os.pread(descriptor, 4096, 0))
        return Owner(int(fields["pid"]), str(fields["host"]), str(fields["born"]))
    except (ValueError, KeyError, TypeError):
        return None


def owner_of(path: Path) -> Owner | None:
    """Read who holds a lock, without touching it; None if nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return read_owner(descriptor)
    finally:
        os.close(descriptor)


def write_owner(descriptor: int, owner: Owner) -> None:
    """Write the owner to the lock file, durably."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(owner)).encode(), 0)
    os.fsync(descriptor)


def refusal(path: Path, owner: Owner) -> str:
    """Return the message why the lock is refused, and what to do."""
    if owner.host == socket.gethostname():
        return (
            f"{path.parent}: process {owner.pid} is writing this run; "
            "wait until it ends, stop it, or choose another name"
        )
    return (
        f"{path.parent}: process {owner.pid} on {owner.host} is writing this run; "
        f"if it is gone, delete {path}, otherwise choose another name"
    )

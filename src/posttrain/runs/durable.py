"""Writing so that a crash, a full disk or a power cut leaves the old content or the new, never a mixture."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

# What network file systems report for a moment and then no more.
PASSING = frozenset({errno.EIO, errno.EBUSY, errno.EAGAIN, errno.ESTALE})
WAITS = (0.05, 0.2, 0.8)  # seconds before each further attempt


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(source: Path, target: Path) -> None:
    """Rename within one folder, atomically and durably; passing errors of network storage are tried again."""
    for wait in (*WAITS, None):
        try:
            os.replace(source, target)
            break
        except OSError as error:
            if error.errno not in PASSING or wait is None:
                raise
            time.sleep(wait)
    sync(target.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the content of a file in one step."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """`write_bytes` in UTF-8. What UTF-8 cannot say (lone surrogates) is written as `\\udc80`, as in JSON."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))

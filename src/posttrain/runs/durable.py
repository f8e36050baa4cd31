"""Atomic, durable writes: a crash, a full disk or a power cut leaves the old content or the new, never a mixture."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Errors that network file systems report temporarily.
TEMPORARY = frozenset({errno.EIO, errno.EBUSY, errno.EAGAIN, errno.ESTALE})
WAITS = (0.05, 0.2, 0.8)  # seconds before each further attempt


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(source: Path, target: Path) -> None:
    """Rename within one folder, atomically and durably. Retries after temporary errors of network storage."""
    for wait in (*WAITS, None):
        try:
            os.replace(source, target)
            break
        except OSError as error:
            if error.errno not in TEMPORARY or wait is None:
                raise
            time.sleep(wait)
    sync(target.parent)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `target` after the block; until then the old one stays."""
    partial, old = (target.with_name(f".{target.name}.{kind}") for kind in ("partial", "old"))
    for folder in (partial, old):
        shutil.rmtree(folder, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if target.exists():
            replace(target, old)
        replace(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        if old.exists() and not target.exists():
            replace(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


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
    """Replace the content of a file by text in UTF-8. Lone surrogates are written as `\\udc80`, as in JSON."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def append_line(path: Path, line: str) -> None:
    """Append one line to a file and wait until it is on the disk. A kill may leave a part of it without its end."""
    with path.open("ab") as file:
        file.write(line.encode("utf-8", "backslashreplace") + b"\n")
        file.flush()
        os.fsync(file.fileno())

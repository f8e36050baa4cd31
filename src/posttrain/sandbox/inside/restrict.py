"""Dropping rights before running a program that a model wrote. None of it can be undone."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

DIE_WITH_PARENT, NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 1, 38, 22, 2  # of prctl
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # system calls of Landlock, the same on every architecture
PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # rights to files that an ABI knows; 16 from the fifth on
EVERY_SOCKET, EVERY_SCOPE = 0b11, 0b11  # TCP bind and connect (ABI 4); abstract sockets and signals (ABI 6)

SHARED = (
    "/usr/lib",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/usr/share/zoneinfo",
)  # libraries that extension modules load
DEVICES = (os.devnull, "/dev/zero", "/dev/urandom")

_libc = ctypes.CDLL(None, use_errno=True)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def landlock_version() -> int:
    """Return the kernel's Landlock ABI; 0 or less where Landlock is missing."""
    return int(_libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def restrict(limits: dict[str, int], confined: bool, instructions: bytes, parent: int) -> None:
    """Apply resource limits, Landlock if `confined`, and the seccomp filter if there is one. Raises OSError."""
    os.umask(0o077)
    _checked(_libc.prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0))
    if os.getppid() not in (0, parent):  # the parent died before; outside our own namespace it has no number
        os._exit(1)
    _checked(_libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    if confined:
        _confine_to([*SHARED, *DEVICES, *sys.path])
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if not instructions:
        return
    text = ctypes.create_string_buffer(instructions, len(instructions))
    program = _Program(len(instructions) // 8, ctypes.addressof(text))
    _checked(_libc.prctl(SET_SECCOMP, FILTER, ctypes.byref(program), 0, 0))


def _confine_to(readable: list[str]) -> None:
    """Allow reading these folders and files alone; the null device may be written to."""
    version = landlock_version()
    if version < 1:
        raise OSError("the kernel has no Landlock")
    files = (1 << FILE_RIGHTS.get(version, 16)) - 1
    rules = (ctypes.c_uint64 * 3)(files, EVERY_SOCKET if version >= 4 else 0, EVERY_SCOPE if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _checked(_libc.syscall(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0)))
    for path in readable:
        if os.path.exists(path):
            read = READ_FILE | EXECUTE | READ_DIR if os.path.isdir(path) else READ_FILE
            _allow(ruleset, path, read | WRITE_FILE if path == os.devnull else read)
    _checked(_libc.syscall(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = _Beneath(rights, folder)
    arguments = (ctypes.c_int(ruleset), ctypes.c_int(PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
    _checked(_libc.syscall(ADD_RULE, *arguments))
    os.close(folder)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

"""Tier A: separate namespaces for files, processes, network and users (bubblewrap), with the seccomp filter inside."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from posttrain.sandbox.filter import instructions
from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.packages import mounted
from posttrain.sandbox.tier import ENVIRONMENT, Name, Restrictions, interpreter

_NOBODY = "65534"


@dataclass(frozen=True)
class Bubblewrap:
    """An empty file system with only Python in it. Temporary files live in memory and vanish with the process."""

    name: Name = "bubblewrap"
    own_user: bool = True

    def command(self, limits: Limits) -> list[str]:
        program = shutil.which("bwrap")
        if program is None:
            raise FileNotFoundError("bwrap is not installed: apt-get install bubblewrap")
        held = mounted(limits)
        variables = [word for pair in ENVIRONMENT.items() for word in ("--setenv", *pair)]
        return [
            *(program, "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"),
            *("--clearenv", *variables, "--uid", _NOBODY, "--gid", _NOBODY, "--cap-drop", "ALL"),
            *_system(),
            *held,
            "--as-pid-1",  # bubblewrap's own first process would outlive its parent and stay a zombie
            *("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"),
            *("--size", str(MIB), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),  # noqa: S108 -- of the sandbox
            *("--size", str(limits.file), "--tmpfs", "/tmp", "--chdir", "/tmp", "--remount-ro", "/"),  # noqa: S108
            *("--", interpreter()),
        ]

    def restrictions(self, pid: int, limits: Limits) -> Restrictions:  # noqa: ARG002 -- it has another number inside
        return Restrictions(limits.rlimits(count_threads=True), False, instructions(None, tools=limits.tools))


def _system() -> list[str]:
    """Mount /usr read-only, the folders at the root that belong to it, and Python if it lies elsewhere."""
    mounts = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib32", "lib64", "libx32"):
        folder = Path("/", name)
        if folder.is_symlink():
            mounts += ["--symlink", os.readlink(folder), str(folder)]
        elif folder.is_dir():
            mounts += ["--ro-bind", str(folder), str(folder)]
    prefix = str(Path(interpreter()).parents[1])
    return mounts if prefix == "/usr" or prefix.startswith("/usr/") else [*mounts, "--ro-bind", prefix, prefix]

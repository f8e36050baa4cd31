"""numpy inside a sandbox: bubblewrap can mount it, read-only and alone; the other tiers cannot hold it.

Landlock would have to open the folder of all installed packages to a user that owns nothing, and WebAssembly has no
numpy. `none` has whatever its user has.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from functools import cache
from pathlib import Path

from posttrain.errors import SandboxError
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.tier import Name, Tier, interpreter

INSIDE = "/packages"  # where it lies in the sandbox
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "1")  # its buffers for each thread would exceed the memory limit
_VERSION = "import sys; print(*sys.version_info[:2])"


@cache
def folders() -> tuple[Path, ...]:
    """Return the folders of numpy and of its libraries. Raises FileNotFoundError for another Python."""
    found = importlib.util.find_spec("numpy")
    if found is None or found.origin is None:
        raise FileNotFoundError("numpy is not installed")
    theirs = subprocess.check_output([interpreter(), "-I", "-S", "-c", _VERSION], text=True).split()  # noqa: S603
    if theirs != [str(n) for n in sys.version_info[:2]]:
        raise FileNotFoundError(
            f"the sandbox runs Python {'.'.join(theirs)}, for which this numpy was not built: as root, install Python "
            "where other users can reach it, or start posttrain as another user"
        )
    package = Path(found.origin).parent
    return tuple(f for f in (package, package.with_name("numpy.libs")) if f.is_dir())


def mounted(limits: Limits) -> list[str]:
    """Return what bubblewrap needs to hold numpy; nothing where the program does not ask for it."""
    if not limits.numpy:
        return []
    mounts = [word for f in folders() for word in ("--ro-bind", str(f), f"{INSIDE}/{f.name}")]
    return [*mounts, "--setenv", "PYTHONPATH", INSIDE, "--setenv", *ONE_THREAD]


def in_the_open(limits: Limits) -> list[str]:
    """Return the command that lets an unprotected Python find our numpy."""
    if not limits.numpy:
        return []
    return ["/usr/bin/env", f"PYTHONPATH={folders()[0].parent}", "=".join(ONE_THREAD)]


def refuse(name: Name, limits: Limits) -> None:
    """Raise SandboxError if a program asks a tier for numpy that cannot hold it."""
    if limits.numpy:
        raise SandboxError(
            f"the sandbox {name} cannot hold numpy: install bubblewrap (see `posttrain doctor`), or do without numpy"
        )


def holds_numpy(tier: Tier) -> bool:
    """Whether programs can import numpy in a tier."""
    try:
        tier.command(Limits(numpy=True))
    except (SandboxError, OSError):
        return False
    return True

"""C++ beside the module that calls it, compiled where it runs: the processor's own instructions, nothing to download.

The first run compiles (a few seconds), later ones find the library in the cache. A machine without a compiler runs the
same formulas in torch, more slowly. POSTTRAIN_COMPILED=0 asks for that.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VARIABLE = "POSTTRAIN_COMPILED"
COMPILERS = ("c++", "g++", "clang++")
# No fast-math: what is not a number must stay visible, and sums keep their order.
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fopenmp", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")

_log = logging.getLogger(__name__)


@functools.cache
def library(source: Path, *flags: str) -> ctypes.CDLL | None:
    """The source, which may include headers beside it, compiled with further flags; None, and why in the log, where it
    cannot be had."""
    if not wanted():
        return None
    program = compiler()
    if program is None:
        _log.info("no C++ compiler: %s is done without, which takes time or memory; install g++", source.name)
        return None
    try:
        return ctypes.CDLL(str(_made(source, program, flags)))
    except (OSError, subprocess.SubprocessError) as error:
        why = getattr(error, "stderr", None) or error
        _log.warning("%s could not be compiled and is done without, which takes time or memory: %s", source.name, why)
        return None


def wanted() -> bool:
    """Whether to compile at all: on Linux, where torch brings OpenMP, unless the user said no."""
    return sys.platform == "linux" and os.environ.get(VARIABLE, "1") != "0"


def compiler() -> str | None:
    """The user's C++ compiler."""
    return os.environ.get("CXX") or next(filter(shutil.which, COMPILERS), None)


def processor_flags() -> set[str]:
    """The instructions that the processor knows, as Linux names them; empty elsewhere."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    return {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split(":")[1].split()}


def cache() -> Path:
    """Where compiled libraries lie."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "posttrain" / "compiled"


def _made(source: Path, program: str, flags: tuple[str, ...]) -> Path:
    code = b"\0".join(file.read_bytes() for file in (source, *sorted(source.parent.glob("*.hpp"))))
    # A cache may be shared by machines with other instructions.
    made = "\0".join([program, *FLAGS, *flags, platform.machine(), *sorted(processor_flags())]).encode()
    target = cache() / f"{source.stem}-{hashlib.sha256(made + code).hexdigest()[:16]}.so"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            built = Path(folder) / target.name
            command = [program, *FLAGS, str(source), "-o", str(built), *flags]
            subprocess.run(  # noqa: S603 -- the user's own compiler
                command, check=True, capture_output=True, text=True, timeout=300
            )
            os.replace(built, target)  # whole or not at all, however many processes compile
    return target

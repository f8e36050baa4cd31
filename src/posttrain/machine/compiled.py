"""C++ sources that are compiled on first use, for the processor at hand: nothing to download.

The first run compiles them in a few seconds. Later runs load the library from `cache_folder("compiled")`. On a machine
without a compiler the same formulas run in torch, more slowly; POSTTRAIN_COMPILED=0 asks for that.
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

from posttrain.machine.cache_folder import cache_folder

VARIABLE = "POSTTRAIN_COMPILED"
FOLDER = "compiled"  # of the cache
COMPILERS = ("c++", "g++", "clang++")
# No fast-math: NaN must stay visible, and sums keep their order.
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fopenmp", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")

_log = logging.getLogger(__name__)


@functools.cache
def library(source: Path, *flags: str) -> ctypes.CDLL | None:
    """Compile a source, which may include headers of its folder, with additional flags, and load it.

    None if that is switched off or fails; the log says why.
    """
    if not enabled():
        return None
    program = compiler()
    if program is None:
        _log.info("no C++ compiler: running without %s, which takes more time or memory; install g++", source.name)
        return None
    try:
        return ctypes.CDLL(str(_compiled(source, program, flags)))
    except (OSError, subprocess.SubprocessError) as error:
        why = getattr(error, "stderr", None) or error
        _log.warning("%s could not be compiled; running without it takes more time or memory: %s", source.name, why)
        return None


def enabled() -> bool:
    """Whether to compile at all: on Linux, where torch ships OpenMP, unless POSTTRAIN_COMPILED=0."""
    return sys.platform == "linux" and os.environ.get(VARIABLE, "1") != "0"


def compiler() -> str | None:
    """The C++ compiler: $CXX, or the first one on the path."""
    return os.environ.get("CXX") or next(filter(shutil.which, COMPILERS), None)


def processor_flags() -> set[str]:
    """The instruction sets of the processor, by their names in /proc/cpuinfo. Empty on other systems than Linux."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    return {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split(":")[1].split()}


def _compiled(source: Path, program: str, flags: tuple[str, ...]) -> Path:
    """The library of a source in the cache. Compiles it unless one with the same key is there."""
    target = cache_folder(FOLDER) / f"{source.stem}-{_key(source, program, flags)}.so"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            built = Path(folder) / target.name
            command = [program, *FLAGS, str(source), "-o", str(built), *flags]
            subprocess.run(  # noqa: S603 -- the user's own compiler
                command, check=True, capture_output=True, text=True, timeout=300
            )
            os.replace(built, target)  # atomic, however many processes compile
    return target


def _key(source: Path, program: str, flags: tuple[str, ...]) -> str:
    """A hash of all that the library depends on: code, compiler, flags and processor."""
    code = b"\0".join(file.read_bytes() for file in (source, *sorted(source.parent.glob("*.hpp"))))
    # Machines with other instruction sets may share the cache.
    build = "\0".join([program, *FLAGS, *flags, platform.machine(), *sorted(processor_flags())]).encode()
    return hashlib.sha256(build + code).hexdigest()[:16]

"""The WebAssembly host of tier W, run as `wasm_host.py PARENT PYTHON.WASM SHA256 CACHE MEMORY ARGUMENT...`."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

TRAPPED = 98  # exit code after a trap: the stack, the memory


def main() -> int:
    """Run Python until it ends, and return its exit code."""
    import wasmtime

    parent, program, digest, cache, memory, *arguments = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG: die with the parent
    if os.getppid() != int(parent):
        return 1
    config = wasmtime.Config()
    config.max_wasm_stack = 1 << 20
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    store.set_limits(memory_size=int(memory))
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    pipes = wasmtime.WasiConfig()
    pipes.argv = ["python", *arguments]
    pipes.env = [(name, os.environ[name]) for name in ("PYTHONHASHSEED", "LC_ALL")]
    pipes.inherit_stdin()
    pipes.inherit_stdout()
    pipes.inherit_stderr()
    store.set_wasi(pipes)
    module = compiled(engine, Path(program), digest, Path(cache))
    start: Any = linker.instantiate(store, module).exports(store)["_start"]
    try:
        start(store)
    except wasmtime.ExitTrap as ended:
        return int(ended.code)
    except wasmtime.Trap as trap:
        sys.stderr.write(f"\n{trap.trap_code.name if trap.trap_code else 'trap'}")
        return TRAPPED
    return 0


def compiled(engine: Any, program: Path, digest: str, cache: Path) -> Any:
    """Compile the module, or load it from the user's own cache: compiling takes seconds.

    Raises ValueError when the file is not the one that this version was tested with.
    """
    import wasmtime

    cached = cache / f"{digest[:16]}-{metadata.version('wasmtime')}.cwasm"
    if cached.is_file():
        return wasmtime.Module.deserialize_file(engine, str(cached))
    text = program.read_bytes()
    if hashlib.sha256(text).hexdigest() != digest:
        raise ValueError(f"{program} is not the file that this version of posttrain was tested with")
    module = wasmtime.Module(engine, text)
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = cached.with_suffix(f".{os.getpid()}")
    partial.write_bytes(module.serialize())
    partial.replace(cached)
    return module


if __name__ == "__main__":
    os._exit(main())

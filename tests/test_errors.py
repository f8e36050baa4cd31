"""Errors for the user: every kind has its own exit code, and the operating system's become ours."""

from __future__ import annotations

import errno
import inspect

import pytest

from posttrain import errors
from posttrain.errors import (
    ConfigError,
    MissingExtraError,
    OutOfMemoryError,
    PosttrainError,
    StoppedError,
    StorageError,
    from_system_error,
    suggestion,
)

KINDS = [c for c in vars(errors).values() if inspect.isclass(c) and issubclass(c, PosttrainError)]


def test_every_kind_has_an_exit_code_of_its_own():
    codes = {c.__name__: c.exit_code for c in KINDS if c not in (MissingExtraError, StoppedError)}
    assert len(set(codes.values())) == len(codes)
    assert set(codes.values()) == set(range(1, len(codes) + 1))  # below 128, where the signals begin


def test_a_stop_has_the_code_of_its_signal_as_in_a_shell():
    assert StoppedError("stop", 15).exit_code == 143
    assert StoppedError("stop", 2).exit_code == 130


def test_a_missing_extra_is_an_error_of_configuration_and_says_what_to_install():
    error = MissingExtraError("reading parquet", "data")
    assert str(error) == "reading parquet needs an optional dependency: pip install 'posttrain[data]'"
    assert isinstance(error, ConfigError)
    assert error.exit_code == ConfigError.exit_code


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: 80 bytes"),
        type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory.\nTried to allocate 20 GiB"),
    ],
    ids=["python", "torch on a CPU", "torch on an accelerator"],
)
def test_out_of_memory_names_what_to_lower(error):
    ours = from_system_error(error)
    assert isinstance(ours, OutOfMemoryError)
    assert "\n" not in str(ours)
    for remedy in ("train.tokens_per_device", "sampling.slots", "model.lora"):
        assert remedy in str(ours)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
    ],
    ids=["full", "quota", "as a library reports it"],
)
def test_a_full_disk_says_how_to_continue(error):
    ours = from_system_error(error)
    assert isinstance(ours, StorageError)
    assert str(ours).startswith("the disk is full")
    assert "free some space and run the command again" in str(ours)


def test_other_errors_are_not_translated():
    for error in (OSError(errno.ENOENT, "No such file"), ValueError("memory of a goldfish"), KeyError("x")):
        assert from_system_error(error) is None


def test_the_closest_known_name_is_suggested_and_only_a_close_one():
    known = ("beta", "alpha", "learning_rate")
    assert suggestion("bta", known) == " (did you mean 'beta'?)"
    assert suggestion("learning_rat", iter(known)) == " (did you mean 'learning_rate'?)"
    assert suggestion("gpro", ["gpo", "gspo", "grpo"]) == " (did you mean 'grpo'?)"
    assert suggestion("zzz", known) == suggestion("beta", ()) == ""

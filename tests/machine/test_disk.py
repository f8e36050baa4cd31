"""Files that are written past the page cache, on systems with and without direct I/O."""

import errno
import hashlib
import os

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from xxhash import xxh3_128

from posttrain.machine import disk

TYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.float8_e4m3fn]
TYPES += [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]


def content(size):
    return (hashlib.sha256(b"x").digest() * (size // 32 + 1))[:size]


@pytest.fixture(params=["direct", "no flag", "refused when opened", "refused when written"])
def system(request, monkeypatch):
    """Systems with direct I/O, and three without."""
    if request.param == "no flag":
        monkeypatch.setattr(disk, "DIRECT", 0)
    real_open, real_write = os.open, os.write

    def refuses_to_open(path, flags, *mode):
        if disk.DIRECT and flags & disk.DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real_open(path, flags, *mode)

    def refuses_to_write(file, view):
        if disk.fcntl.fcntl(file, disk.fcntl.F_GETFL) & disk.DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real_write(file, view[: max(1, len(view) // 2)])  # and no more than half at once

    if request.param == "refused when opened":
        monkeypatch.setattr(disk.os, "open", refuses_to_open)
    if request.param == "refused when written":
        monkeypatch.setattr(disk.os, "write", refuses_to_write)


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 8192, 3 * 8192 + 5])
def test_what_is_written_is_read(size, tmp_path, monkeypatch, system):
    monkeypatch.setattr(disk, "PIECE", 8192)
    whole, path = content(size), tmp_path / "file"
    path.write_bytes(b"longer than what replaces it" * 2000)
    digest = disk.write(path, [memoryview(whole[:100]), memoryview(b""), memoryview(whole[100:])])
    assert path.read_bytes() == whole
    assert digest == disk.xxh3(path) == xxh3_128(whole).hexdigest()
    assert b"".join(bytes(piece) for piece in disk.read(path)) == whole


def test_other_errors_are_raised(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(disk.read(tmp_path / "none"))
    with pytest.raises(IsADirectoryError):
        disk.write(tmp_path, [])


def some_tensors():
    generator = torch.Generator().manual_seed(0)
    tensors = {f"ü {t}": (4 * torch.randn(3, 5, generator=generator)).to(t) for t in TYPES}
    return tensors | {
        "none": torch.zeros(0, 4),
        "number": torch.tensor(2.5),
        "transposed": torch.arange(6.0).view(2, 3).T,
    }


def test_tensors_are_read_by_the_library(tmp_path):
    tensors = some_tensors()
    disk.save_tensors(tmp_path / "a.safetensors", tensors, {"format": "pt"})
    loaded = load_file(tmp_path / "a.safetensors")
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert loaded[name].shape == tensor.shape
        assert (
            loaded[name].contiguous().flatten().view(torch.uint8).equal(tensor.contiguous().flatten().view(torch.uint8))
        )
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_a_file_of_small_tensors_is_that_of_the_library(tmp_path):
    """With dtypes of several widths and names that sort differently, down to the last byte."""
    widths = (torch.bfloat16, torch.float64, torch.uint8, torch.float32)
    tensors = {f"{name} of {t}": torch.ones(3, 5).to(t) for t in widths for name in ("b", "a", "ä")}
    for metadata in (None, {"format": "pt"}):
        disk.save_tensors(tmp_path / "a", tensors, metadata)
        save_file(tensors, tmp_path / "b", metadata)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_aligned_tensors_are_written_without_a_copy(tmp_path, monkeypatch, system):
    copied = []
    monkeypatch.setattr(disk, "_buffer", lambda: copied.append(Counted(disk.PIECE)) or copied[-1])
    monkeypatch.setattr(disk, "LARGE", disk.BLOCK)
    tensors = {name: disk.empty_like(torch.empty(1024, width)).normal_() for name, width in (("a", 5), ("b", 3))}
    tensors |= {"small": torch.randn(3)}
    disk.save_tensors(tmp_path / "a.safetensors", tensors)
    assert all(load_file(tmp_path / "a.safetensors")[name].equal(tensors[name]) for name in tensors)
    # Only the header and the tensor smaller than a block are copied.
    assert sum(c.taken for c in copied) == disk.BLOCK + 12
    assert all(t.data_ptr() % disk.BLOCK == 0 for n, t in tensors.items() if n != "small")


def test_a_transposed_tensor_is_written_in_the_order_of_its_rows(tmp_path, monkeypatch, system):
    monkeypatch.setattr(disk, "LARGE", disk.BLOCK)
    transposed = disk.empty_like(torch.empty(1024, 7).T).normal_()
    assert transposed.stride() == (1, 7)
    disk.save_tensors(tmp_path / "a.safetensors", {"a": transposed})
    assert load_file(tmp_path / "a.safetensors")["a"].equal(transposed)


class Counted:
    """A buffer that counts the bytes it is given."""

    def __init__(self, size):
        self.memory, self.taken = memoryview(bytearray(size)), 0

    def __getitem__(self, part):
        return self.memory[part]

    def __setitem__(self, part, content):
        self.memory[part] = content
        self.taken += len(content)

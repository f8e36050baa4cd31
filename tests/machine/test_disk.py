import errno
import hashlib
import os

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from xxhash import xxh3_128

from posttrain.machine import disk as direct

TYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64, torch.float8_e4m3fn]
TYPES += [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]


def content(size):
    return (hashlib.sha256(b"x").digest() * (size // 32 + 1))[:size]


@pytest.fixture(params=["past the cache", "no flag", "refused when opened", "refused when written"])
def system(request, monkeypatch):
    """Systems that let files past the cache, and three that do not."""
    if request.param == "no flag":
        monkeypatch.setattr(direct, "DIRECT", 0)
    real_open, real_write = os.open, os.write

    def refuses_to_open(path, flags, *mode):
        if direct.DIRECT and flags & direct.DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real_open(path, flags, *mode)

    def refuses_to_write(file, view):
        if direct.fcntl.fcntl(file, direct.fcntl.F_GETFL) & direct.DIRECT:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real_write(file, view[: max(1, len(view) // 2)])  # and no more than half at once

    if request.param == "refused when opened":
        monkeypatch.setattr(direct.os, "open", refuses_to_open)
    if request.param == "refused when written":
        monkeypatch.setattr(direct.os, "write", refuses_to_write)


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 8192, 3 * 8192 + 5])
def test_what_is_written_is_read(size, tmp_path, monkeypatch, system):
    monkeypatch.setattr(direct, "PIECE", 8192)
    whole, path = content(size), tmp_path / "file"
    path.write_bytes(b"longer than what replaces it" * 2000)
    made = direct.write(path, [memoryview(whole[:100]), memoryview(b""), memoryview(whole[100:])])
    assert path.read_bytes() == whole
    assert made == direct.xxh3(path) == xxh3_128(whole).hexdigest()
    assert b"".join(bytes(piece) for piece in direct.read(path)) == whole


def test_what_other_errors_there_are_is_said(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(direct.read(tmp_path / "none"))
    with pytest.raises(IsADirectoryError):
        direct.write(tmp_path, [])


def some_tensors():
    generator = torch.Generator().manual_seed(0)
    made = {f"ü {t}": (4 * torch.randn(3, 5, generator=generator)).to(t) for t in TYPES}
    return made | {"none": torch.zeros(0, 4), "number": torch.tensor(2.5), "turned": torch.arange(6.0).view(2, 3).T}


def test_tensors_are_read_by_the_library(tmp_path):
    tensors = some_tensors()
    direct.save_tensors(tmp_path / "a.safetensors", tensors, {"format": "pt"})
    found = load_file(tmp_path / "a.safetensors")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].shape == tensor.shape
        assert (
            found[name].contiguous().flatten().view(torch.uint8).equal(tensor.contiguous().flatten().view(torch.uint8))
        )
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_a_file_of_small_tensors_is_that_of_the_library(tmp_path):
    """Of types with as many bytes each has an order of its own."""
    widths = (torch.bfloat16, torch.float64, torch.uint8, torch.float32)
    tensors = {f"{name} of {t}": torch.ones(3, 5).to(t) for t in widths for name in ("b", "a", "ä")}
    for metadata in (None, {"format": "pt"}):
        direct.save_tensors(tmp_path / "a", tensors, metadata)
        save_file(tensors, tmp_path / "b", metadata)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_lies_at_a_page_is_written_without_a_copy(tmp_path, monkeypatch, system):
    copied = []
    monkeypatch.setattr(direct, "_buffer", lambda: copied.append(Counted(direct.PIECE)) or copied[-1])
    monkeypatch.setattr(direct, "LARGE", direct.BLOCK)
    tensors = {name: direct.empty_like(torch.empty(1024, width)).normal_() for name, width in (("a", 5), ("b", 3))}
    tensors |= {"turned": direct.empty_like(torch.empty(1024, 7).T).normal_(), "small": torch.randn(3)}
    direct.save_tensors(tmp_path / "a.safetensors", tensors)
    assert all(load_file(tmp_path / "a.safetensors")[name].equal(tensors[name]) for name in tensors)
    # The header, what is smaller than a block, and what lies there in another order than in the file.
    assert sum(c.taken for c in copied) == direct.BLOCK + 12 + tensors["turned"].nbytes
    assert all(t.data_ptr() % direct.BLOCK == 0 for n, t in tensors.items() if n != "small")


class Counted:
    """A buffer that counts the bytes it is given."""

    def __init__(self, size):
        self.memory, self.taken = memoryview(bytearray(size)), 0

    def __getitem__(self, part):
        return self.memory[part]

    def __setitem__(self, part, content):
        self.memory[part] = content
        self.taken += len(content)

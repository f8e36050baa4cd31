"""Files of gigabytes past the page cache, where the system allows that.

Nobody reads a checkpoint soon, so pages of memory for it are wasted, and getting them is most of what writing costs:
2.8 s of processor time a gigabyte on a virtual machine, against 0.2 s without.
"""

from __future__ import annotations

import errno
import fcntl
import json
import mmap
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

PIECE = 2**23  # bytes that pass through memory at once
BLOCK = 4096  # what passes the cache is as long as a multiple of this, and lies in memory at one
DIRECT = getattr(os, "O_DIRECT", 0)

Stored = Mapping[str, Mapping[str, "Tensor"]]  # the tensors that lie in the files of a folder: file -> name -> tensor

# The names of safetensors for the types of torch.
NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "complex64": "C64", "bool": "BOOL",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip


View = tuple[Any, ...]  # the memory that a tensor looks at, and how


def view_of(tensor: Tensor) -> View:
    """Equal for two tensors exactly if they are the same numbers in the same memory; an empty one is like no other."""
    storage = tensor.untyped_storage().data_ptr() if tensor.numel() else id(tensor)
    place = (storage, tensor.storage_offset(), tensor.shape, tensor.stride())
    return *place, tensor.dtype, tensor.device, tensor.is_conj(), tensor.is_neg()


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """A file of safetensors: wide types first, then by name. KeyError for a type that the format does not know."""
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header: dict[str, object] = {} if metadata is None else {"__metadata__": dict(metadata)}
    place = 0
    for name in order:
        t = tensors[name]
        end = place + t.numel() * t.element_size()
        kind = NAMES[str(t.dtype).removeprefix("torch.")]
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    write(path, [memoryview(len(text).to_bytes(8, "little") + text), *(_bytes(tensors[name]) for name in order)])


def _bytes(tensor: Tensor) -> memoryview:
    import torch

    flat = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
    return memoryview(flat.numpy())  # type: ignore[arg-type]


def write(path: Path, pieces: Iterable[memoryview]) -> None:
    """A file of these bytes, in the place of what was there. OSError as for any file."""
    buffer, size, filled = _buffer(), 0, 0
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
        for piece in pieces:
            rest = piece
            while rest:
                part, rest = rest[: PIECE - filled], rest[PIECE - filled :]
                buffer[filled : filled + len(part)] = part
                filled, size = filled + len(part), size + len(part)
                if filled == PIECE:
                    _write(file, buffer)
                    filled = 0
        if filled:
            _write(file, buffer[: filled + -filled % BLOCK])
            os.ftruncate(file, size)


def read(path: Path) -> Iterator[memoryview]:
    """The bytes of a file, piece by piece; each is good until the next."""
    buffer, place = _buffer(), 0
    with _opened(path, os.O_RDONLY) as file:
        while count := os.preadv(file, [buffer], place):
            yield buffer[:count]
            place += count


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    try:
        file = os.open(path, flags | DIRECT, 0o666)
    except OSError as error:
        if error.errno != errno.EINVAL:  # the file system has no way past the cache
            raise
        file = os.open(path, flags, 0o666)
    try:
        yield file
    finally:
        os.close(file)


def _buffer() -> memoryview:
    """Memory at the beginning of a page."""
    return memoryview(mmap.mmap(-1, PIECE))


def _write(file: int, content: memoryview) -> None:
    while content:
        try:
            content = content[os.write(file, content) :]
        except OSError as error:
            if error.errno != errno.EINVAL or not fcntl.fcntl(file, fcntl.F_GETFL) & DIRECT:
                raise
            fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) & ~DIRECT)

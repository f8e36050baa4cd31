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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128

if TYPE_CHECKING:
    from torch import Tensor

PIECE = 2**25  # bytes that pass through memory at once
LARGE = 2**20  # bytes that are written from where they lie rather than copied
BLOCK = 4096  # what passes the cache is as long as a multiple of this, and lies in memory and in the file at one
DIRECT = getattr(os, "O_DIRECT", 0)

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


@dataclass(frozen=True)
class Stored:
    """A file of tensors: those in it, by name, and its hash."""

    tensors: Mapping[str, Tensor]
    xxh3: str


Files = Mapping[str, Stored]  # of one folder, by name


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> Stored:
    """A file of safetensors, first what can be written from where it lies, then wide types, then by name.

    KeyError for a type that the format does not know.
    """
    order = sorted(tensors, key=lambda name: (not _large(tensors[name]), -tensors[name].element_size(), name))
    header: dict[str, object] = {} if metadata is None else {"__metadata__": dict(metadata)}
    place = 0
    for name in order:
        t = tensors[name]
        end = place + t.nbytes
        kind = NAMES[str(t.dtype).removeprefix("torch.")]
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    unit = BLOCK if any(map(_large, tensors.values())) else 8
    text += b" " * (-(8 + len(text)) % unit)
    pieces = [memoryview(len(text).to_bytes(8, "little") + text), *(_bytes(tensors[name]) for name in order)]
    return Stored(tensors, write(path, pieces))


def empty_like(tensor: Tensor, *, pinned: bool = False) -> Tensor:
    """Memory of the processor for such a tensor, from where it can be written without a copy."""
    import torch

    shape = torch.empty_like(tensor, device="meta")
    raw = torch.empty(shape.nbytes + BLOCK, dtype=torch.uint8, pin_memory=pinned)
    begin = -raw.data_ptr() % BLOCK
    return raw[begin : begin + shape.nbytes].view(shape.dtype).as_strided(shape.shape, shape.stride())


def _large(tensor: Tensor) -> bool:
    return tensor.nbytes >= LARGE and tensor.nbytes % BLOCK == 0


def _bytes(tensor: Tensor) -> memoryview:
    import torch

    flat = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
    return memoryview(flat.numpy())  # type: ignore[arg-type]


def write(path: Path, pieces: Iterable[memoryview]) -> str:
    """A file of these bytes, in the place of what was there; its hash. OSError as for any file."""
    buffer, size, filled, digest = _buffer(), 0, 0, xxh3_128()
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
        for piece in pieces:
            digest.update(piece)
            rest = piece
            while rest:
                there = _in_place(rest)
                if there >= LARGE and filled % BLOCK == 0:
                    _write(file, buffer[:filled])
                    _write(file, rest[:there])
                    rest, size, filled = rest[there:], size + there, 0
                    continue
                part, rest = rest[: PIECE - filled], rest[PIECE - filled :]
                buffer[filled : filled + len(part)] = part
                filled, size = filled + len(part), size + len(part)
                if filled == PIECE:
                    _write(file, buffer)
                    filled = 0
        if filled:
            _write(file, buffer[: filled + -filled % BLOCK])
            os.ftruncate(file, size)
    return digest.hexdigest()


def xxh3(path: Path) -> str:
    """The hash of a file's content: XXH3, 128 bits."""
    digest = xxh3_128()
    for piece in read(path):
        digest.update(piece)
    return digest.hexdigest()


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


def _in_place(content: memoryview) -> int:
    """How many bytes of it can be written from where they lie."""
    import numpy as np

    return 0 if np.frombuffer(content, np.uint8).ctypes.data % BLOCK else len(content) - len(content) % BLOCK


def _buffer() -> memoryview:
    """Memory at the beginning of a page, in large pages where the system has them."""
    memory = mmap.mmap(-1, PIECE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)


def _write(file: int, content: memoryview) -> None:
    while content:
        try:
            content = content[os.write(file, content) :]
        except OSError as error:
            if error.errno != errno.EINVAL or not fcntl.fcntl(file, fcntl.F_GETFL) & DIRECT:
                raise
            fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) & ~DIRECT)

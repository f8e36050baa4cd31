"""Read and write files of gigabytes with direct I/O (O_DIRECT), past the page cache, where the system supports it.

A checkpoint is not read again soon, so caching its pages wastes memory, and allocating them is most of the cost of
writing: 2.8 s of processor time a gigabyte on a virtual machine, against 0.2 s with direct I/O.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import json
import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128

if TYPE_CHECKING:
    from torch import Tensor

PIECE = 2**25  # bytes of the buffer
LARGE = 2**20  # bytes from which a tensor is written without a copy to the buffer
BLOCK = 4096  # bytes; direct I/O needs sizes, addresses and file offsets that are multiples of it
DIRECT = getattr(os, "O_DIRECT", 0)

# torch dtype -> dtype in the header of safetensors.
DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "complex64": "C64", "bool": "BOOL",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip


View = tuple[Any, ...]  # identifies the memory of a tensor and how it is read


def view_of(tensor: Tensor) -> View:
    """Return a key that is equal for two tensors exactly if they read the same memory in the same way.

    An empty tensor equals only itself.
    """
    storage = tensor.untyped_storage().data_ptr() if tensor.numel() else id(tensor)
    layout = (storage, tensor.storage_offset(), tensor.shape, tensor.stride())
    return *layout, tensor.dtype, tensor.device, tensor.is_conj(), tensor.is_neg()


@dataclass(frozen=True)
class Stored:
    """A file of tensors, by name, and the hash of its content."""

    tensors: Mapping[str, Tensor]
    xxh3: str


Files = Mapping[str, Stored]  # file name -> file, in one folder


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> Stored:
    """Write tensors to a safetensors file and return them with its hash.

    Large aligned tensors come first, then wide dtypes, then names in order. Raises KeyError for a dtype that the format
    lacks, OSError as any write does.
    """
    return Stored(tensors, save_made(path, tensors, tensors.__getitem__, metadata))


def save_made(
    path: Path, like: Mapping[str, Tensor], make: Callable[[str], Tensor], metadata: Mapping[str, str] | None = None
) -> str:
    """Write a safetensors file of tensors that are made one at a time, and return its hash.

    `like`: tensors of the same shapes and dtypes, of the device meta for instance.
    """
    order = sorted(like, key=lambda name: (not _large(like[name]), -like[name].element_size(), name))
    header: dict[str, object] = {} if metadata is None else {"__metadata__": dict(metadata)}
    offset = 0
    for name in order:
        t = like[name]
        end = offset + t.nbytes
        dtype = DTYPES[str(t.dtype).removeprefix("torch.")]
        header[name] = {"dtype": dtype, "shape": list(t.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    unit = BLOCK if any(map(_large, like.values())) else 8
    text += b" " * (-(8 + len(text)) % unit)
    start = memoryview(len(text).to_bytes(8, "little") + text)
    return write(path, itertools.chain([start], (_bytes(make(name)) for name in order)))


def empty_like(tensor: Tensor, *, pinned: bool = False) -> Tensor:
    """Return an uninitialised CPU tensor of the same shape and dtype, aligned so that it is written without a copy."""
    import torch

    shape = torch.empty_like(tensor, device="meta")
    raw = torch.empty(shape.nbytes + BLOCK, dtype=torch.uint8, pin_memory=pinned)
    start = -raw.data_ptr() % BLOCK
    return raw[start : start + shape.nbytes].view(shape.dtype).as_strided(shape.shape, shape.stride())


def _large(tensor: Tensor) -> bool:
    return tensor.nbytes >= LARGE and tensor.nbytes % BLOCK == 0


def _bytes(tensor: Tensor) -> memoryview:
    import torch

    flat = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
    return memoryview(flat.numpy())  # type: ignore[arg-type]


def write(path: Path, pieces: Iterable[memoryview]) -> str:
    """Write these bytes to a file, replacing it, and return their hash. Raises OSError as any write does."""
    buffer, size, filled, digest = _buffer(), 0, 0, xxh3_128()
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
        for piece in pieces:
            digest.update(piece)
            rest = piece
            while rest:
                direct = _direct_bytes(rest)
                if direct >= LARGE and filled % BLOCK == 0:
                    _write(file, buffer[:filled])
                    _write(file, rest[:direct])
                    rest, size, filled = rest[direct:], size + direct, 0
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
    """Return the hash of a file's content: XXH3, 128 bits."""
    digest = xxh3_128()
    for piece in read(path):
        digest.update(piece)
    return digest.hexdigest()


def read(path: Path) -> Iterator[memoryview]:
    """Yield the bytes of a file in pieces. Each piece is valid until the next one is read."""
    buffer, offset = _buffer(), 0
    with _opened(path, os.O_RDONLY) as file:
        while count := os.preadv(file, [buffer], offset):
            yield buffer[:count]
            offset += count


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """Open a file for direct I/O, or through the page cache where the file system refuses that."""
    try:
        file = os.open(path, flags | DIRECT, 0o666)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        file = os.open(path, flags, 0o666)
    try:
        yield file
    finally:
        os.close(file)


def _direct_bytes(content: memoryview) -> int:
    """How many bytes from the start can be written without a copy; 0 if the address is not aligned."""
    import numpy as np

    return 0 if np.frombuffer(content, np.uint8).ctypes.data % BLOCK else len(content) - len(content) % BLOCK


def _buffer() -> memoryview:
    """A page-aligned buffer of PIECE bytes, in huge pages where the system has them."""
    memory = mmap.mmap(-1, PIECE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without huge pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)


def _write(file: int, content: memoryview) -> None:
    """Write all of the content, through the page cache from here on if the file system refuses direct I/O only now."""
    while content:
        try:
            content = content[os.write(file, content) :]
        except OSError as error:
            if error.errno != errno.EINVAL or not fcntl.fcntl(file, fcntl.F_GETFL) & DIRECT:
                raise
            fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) & ~DIRECT)

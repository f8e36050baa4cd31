"""Compressed text files: gzip, and zstd with the package zstandard. A file that is cut off is an error."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import IO, Any, cast

from posttrain.errors import DataError, MissingExtraError

SUFFIXES = (".gz", ".zst")
BLOCK = 1 << 16


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked if its name says that it is packed."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return cast(IO[bytes], gzip.open(path))
    return io.BufferedReader(Zstd(path)) if suffix == ".zst" else path.open("rb")


class Zstd(io.RawIOBase):
    """The content of a zstd file, which may hold several frames. Raises EOFError if the last one is cut off."""

    def __init__(self, path: Path) -> None:
        try:
            import zstandard
        except ImportError:
            raise MissingExtraError("reading .zst files", "data") from None
        self._zstandard: Any = zstandard
        self._path = path
        self._file = path.open("rb")
        self._frame: Any = None
        self._packed = b""
        self._unpacked = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; 0 at the end of the file."""
        while not self._unpacked:
            if not self._unpack():
                return 0
        count = min(len(buffer), len(self._unpacked))
        buffer[:count], self._unpacked = self._unpacked[:count], self._unpacked[count:]
        return count

    def _unpack(self) -> bool:
        """Unpack the next block; False at the end of the file."""
        block = self._packed or self._file.read(BLOCK)
        if not block:
            if self._frame is not None:
                raise EOFError
            return False
        self._frame = self._frame or self._zstandard.ZstdDecompressor().decompressobj()
        try:
            self._unpacked = self._frame.decompress(block)
        except self._zstandard.ZstdError as error:
            raise DataError(f"{self._path}: not a sound zstd file ({error}); copy or download it again") from None
        self._packed = self._frame.unused_data if self._frame.eof else b""
        if self._frame.eof:
            self._frame = None
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

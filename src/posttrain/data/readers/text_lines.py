"""Lines of text files. Anything but clean UTF-8 is an error that names its place."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from posttrain.data.readers.compressed import open_bytes
from posttrain.errors import DataError

LONGEST = 64 * 2**20  # bytes of one line; a longer one is no text for a model


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line numbers (from 1) and lines with their ends. Drops a byte order mark, unpacks `.gz` and `.zst`."""
    try:
        with open_bytes(path) as file:
            for number, line in enumerate(iter(partial(file.readline, LONGEST + 1), b""), 1):
                yield number, _decode(line, f"{path}:{number}", first=number == 1)
    except EOFError:
        raise DataError(f"{path}: the compressed file is cut off; copy or download it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: not a sound gzip file ({error}); copy or download it again") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None


def _decode(line: bytes, where: str, *, first: bool) -> str:
    if len(line) > LONGEST:
        raise DataError(f"{where}: the line is longer than {LONGEST >> 20} MiB; write one example per line")
    if first and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"{where}: byte 1 begins UTF-16 text; save the file as UTF-8")
    if (nul := line.find(0)) >= 0:
        raise DataError(f"{where}: byte {nul + 1} of the line is NUL; remove it, or save the file as UTF-8")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        bad = f"byte {error.start + 1} of the line (0x{line[error.start]:02x}) is not UTF-8"
        raise DataError(f"{where}: {bad}; save the file as UTF-8 (it may be Latin-1)") from None
    return text.removeprefix("\ufeff") if first else text

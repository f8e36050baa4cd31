"""Rows of JSONL and JSON files, read more strictly than by the standard library: an ambiguous file is an error."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from posttrain.data.readers.text_lines import read_lines
from posttrain.errors import DataError

AROUND = 40  # characters shown on each side of an error
LISTS = ("data", "train", "rows", "examples", "instances", "records", "samples", "test", "validation", "eval")
OF_A_ROW = ("messages", "conversations", "conversation", "prompt", "completion", "completions", "chosen", "tools")
BLANK = re.compile(r"[ \t\r\n]*")
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"  # a first half without a second
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a second without a first
)


def jsonl_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield one object per line; blank lines are skipped."""
    for number, ended in read_lines(path):
        line = ended.rstrip("\r\n")
        start = _skip(line, 0)
        if start == len(line):
            continue
        text = _Text(path, line, first_line=number)
        row, end = text.value(start)
        if (rest := _skip(line, end)) < len(line):
            text.fail("text after the end of the object; write one object per line", rest)
        yield text.where(start), row


def json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a list, each with the line where it begins.

    A file of one object is a row, or holds the list under a name such as `data`. JSON lines are read as such.
    """
    content = "".join(line for _, line in read_lines(path))
    text = _Text(path, content)
    position = _skip(content, 0)
    if position == len(content):
        return
    if content[position] == "{":
        yield from _objects(path, content, position)
        return
    if content[position] != "[":
        text.fail("a JSON file holds a list of objects", position)
    position = _skip(content, position + 1)
    while not content.startswith("]", position):
        row, end = text.value(position)
        yield text.where(position), row
        position = _skip(content, end)
        if content.startswith(",", position):
            position = _skip(content, position + 1)
        elif not content.startswith("]", position):
            text.fail("expected ',' or ']' after an object", position)
    if (rest := _skip(content, position + 1)) < len(content):
        text.fail("text after the end of the list", rest)


def _objects(path: Path, content: str, position: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a file that begins with an object: one row, the list in it, or one object after the other."""
    line_end = content.find("\n", position)
    try:
        whole, end = DECODER.raw_decode(content, position)
    except (ValueError, RecursionError):
        yield from jsonl_rows(path)  # which says what is wrong and where
        return
    alone = _skip(content, end) == len(content)
    if alone and (rows := _list_in(whole, path)) is not None:
        yield from ((f"{path}:{name}[{number}]", row) for name, number, row in rows)
    elif alone or 0 <= line_end < end:
        text = _Text(path, content)
        while position < len(content):
            row, end = text.value(position)
            yield text.where(position), row
            position = _skip(content, end)
    else:
        yield from jsonl_rows(path)


def _list_in(whole: Any, path: Path) -> list[tuple[str, int, dict[str, Any]]] | None:
    """Return the rows of the one list of objects in an object, None if it is itself a row."""
    lists = {n: x for n, x in whole.items() if isinstance(x, list) and x and all(isinstance(r, dict) for r in x)}
    named = {n: x for n, x in lists.items() if n.lower() in LISTS or (len(whole) == 1 and n not in OF_A_ROW)}
    if len(named) > 1:
        raise DataError(f"{path}: the file holds the lists {', '.join(named)}; write each to a file of its own")
    return [(n, i, row) for n, rows in named.items() for i, row in enumerate(rows)] or None


def _skip(text: str, position: int) -> int:
    blank = BLANK.match(text, position)
    return blank.end() if blank else position


class _Text:
    """JSON text of a file, and line numbers in it, which are counted on from the last position asked for."""

    def __init__(self, path: Path, text: str, first_line: int = 1) -> None:
        self.path, self.text = path, text
        self._last = (0, first_line)  # a position and its line

    def where(self, position: int) -> str:
        start, line = self._last
        self._last = position, line + self.text.count("\n", start, position)
        return f"{self.path}:{self._last[1]}"

    def value(self, start: int) -> tuple[dict[str, Any], int]:
        """Return the object that begins at `start`, and the position where it ends."""
        try:
            row, end = DECODER.raw_decode(self.text, start)
        except json.JSONDecodeError as error:
            alone = self.text.strip() in ("{", "[")  # a line of an object that is spread over several
            hint = "; write one object per line, or call the file .json" if alone else ""
            self.fail(f"not valid JSON ({error.msg}){hint}", error.pos)
        except RecursionError:
            self.fail("nested too deeply; flatten the object", start)
        except _RefusedError as error:
            raise DataError(f"{self.where(start)}: {error}") from None
        if not isinstance(row, dict):
            hint = "; a file that holds one list is called .json" if isinstance(row, list) else ""
            self.fail(f"a row must be an object like {{...}}, not a {type(row).__name__}{hint}", start)
        self._check_surrogates(row, start, end)
        return row, end

    def _check_surrogates(self, row: dict[str, Any], start: int, end: int) -> None:
        if not SURROGATE.search(self.text, start, end):
            return
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            lone = LONE_SURROGATE.search(self.text, start, end)
            position = lone.start() if lone else start
            line_start = self.text.rfind("\n", 0, position) + 1
            byte = len(self.text[line_start:position].encode()) + 1
            half = self.text[position : position + 6]
            self.fail(f"byte {byte} of the line begins {half}, half of a character; remove it", position)

    def fail(self, what: str, position: int) -> NoReturn:
        column = position - self.text.rfind("\n", 0, position)
        near = self.text[max(0, position - AROUND) : position + AROUND].strip()
        raise DataError(f"{self.where(position)}:{column}: {what}, near {near!r}")


class _RefusedError(ValueError):
    """Accepted by Python's parser, but not as data."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        keys = [k for k, _ in pairs]
        twice = next(k for k in keys if keys.count(k) > 1)
        raise _RefusedError(f"the key {twice!r} stands twice in one object; remove one of them")
    return unique


def _constant(literal: str) -> NoReturn:
    raise _RefusedError(f"{literal} is not a JSON number; write null or leave the column out")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _RefusedError(f"the number {digits} is too large; write it as text")
    return number


def _int(digits: str) -> int:
    if len(digits) > 4300:  # where Python's own conversion stops
        raise _RefusedError(f"a number has {len(digits)} digits; write it as text")
    return int(digits)


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int)

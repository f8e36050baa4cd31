"""Llama 3.2 and 4: `[name(key=value, ...), ...]` as Python writes it. It is parsed, never evaluated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from posttrain.environments.tools.written import Schemas, Written

BEGIN = re.compile(r"(?:^|(?<=\n)|<\|python_start\|>|<\|python_tag\|>)[ \t\n]*(?=\[\s*[A-Za-z_][\w.]*\s*\()")
END = re.compile(r"\s*(?:<\|python_end\|>)?")
LONGEST, DEEPEST = 1_000_000, 60  # characters and brackets, beyond which Python's parser may fail badly
WORDS = {"true": True, "false": False, "null": None}


def read(text: str, start: int, schemas: Schemas) -> list[Written]:  # noqa: ARG001 -- Python has types
    found: list[Written] = []
    while begin := BEGIN.search(text, start):
        start = _list_end(text, begin.end())
        close = END.match(text, start).end() if start else len(text)  # type: ignore[union-attr]
        found += _calls(text[begin.end() : start or len(text)], begin.start(), close, whole=start > 0)
        start = close
    return found


def _list_end(text: str, begin: int) -> int:
    """Return where the list ends that begins here: behind the bracket that closes it; 0 where there is none."""
    depth = 0
    for token in re.finditer(
        r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[\[({]|[\])}]", text[begin : begin + LONGEST], re.S
    ):
        depth += {"[": 1, "(": 1, "{": 1, "]": -1, ")": -1, "}": -1}.get(token[0], 0)
        if depth > DEEPEST:
            return 0
        if depth == 0:
            return begin + token.end()
    return 0


def _calls(source: str, start: int, end: int, *, whole: bool) -> list[Written]:
    try:
        if not whole:
            raise ValueError("its brackets do not close, or are nested too deeply")
        tree = ast.parse(source, mode="eval").body
        return [Written(start, end, *_call(node)) for node in _items(tree)]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or str(error) or "it is nested too deeply"
        return [Written(start, end, fault=reason)]


def _items(tree: ast.expr) -> Iterator[ast.expr]:
    if not isinstance(tree, ast.List):
        raise ValueError("it is no list of calls")
    yield from tree.elts


def _call(node: ast.expr) -> tuple[str, dict[str, Any]]:
    if not isinstance(node, ast.Call):
        raise ValueError("the list holds something else than calls")
    if node.args or any(keyword.arg is None for keyword in node.keywords):
        raise ValueError("every argument needs its name: name(key=value)")
    names = [keyword.arg for keyword in node.keywords]
    if len(set(names)) < len(names):
        raise ValueError("an argument is there twice")
    return ast.unparse(node.func), {str(keyword.arg): _value(keyword.value) for keyword in node.keywords}


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=str() | int() | float() | None as value):
            return value
        case ast.Name(id=word) if word in WORDS:
            return WORDS[word]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {_key(key): _value(value) for key, value in zip(keys, values, strict=True)}
    raise ValueError(f"{ast.unparse(node)[:40]!r} is no plain value")


def _key(node: ast.expr | None) -> str:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        raise ValueError("the keys of an object are texts")
    return node.value

"""The words of a shell script that starts a training: its own variables, their defaults, and sums of whole numbers.

Nothing is executed. What a script computes in another way stays as it is written.
"""

from __future__ import annotations

import ast
import operator
import re
import shlex
from collections.abc import Mapping

from posttrain.errors import ConfigError

ASSIGNMENT = re.compile(r"\s*(?:export\s+|local\s+)?([A-Za-z_]\w*)=(.*)")
VARIABLE = re.compile(r"\$\{(\w+)(?:\[@\]|:?[-=]([^{}]*))?\}|\$(\w+)")
LIST = re.compile(r"^(\w+)=\(\n(.*?)^\)$", re.MULTILINE | re.DOTALL)
HERE = re.compile(r"^read .*?(\w+) *<<-?'?(\w+)'?\n(.*?)^\2$", re.MULTILINE | re.DOTALL)
ARITHMETIC = re.compile(r"\$\(\(([^()]*)\)\)")
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def words(text: str) -> list[str]:
    """Return the words of a command line, without comments. Raises ConfigError for an open quote."""
    try:
        return shlex.split(text, comments=True)
    except ValueError as error:
        raise ConfigError(f"the command cannot be read: {error}") from None


def script_words(text: str) -> list[str]:
    """Return the words of a script in which the variables that it sets itself are replaced."""
    variables: dict[str, str] = {}
    lines = []
    for line in _without_lists(text).replace("\\\n", " ").splitlines():
        match = ASSIGNMENT.fullmatch(line)
        if match:
            value = expanded(match.group(2), variables)
            try:
                variables.setdefault(match.group(1), (shlex.split(value, comments=True) or [""])[0])
            except ValueError:
                continue
        else:
            lines.append(expanded(line, variables))
    return words("\n".join(line for line in lines if not line.lstrip().startswith("#")))


def _without_lists(text: str) -> str:
    """Replace lists of words (`X=(...)`) and here documents that a variable reads where they are used."""
    lists = {m.group(1): m.group(2) for m in LIST.finditer(text)} | {
        m.group(1): m.group(3) for m in HERE.finditer(text)
    }
    text = HERE.sub("", LIST.sub("", text))
    for name, body in lists.items():
        kept = (line for line in body.replace("\\\n", " ").splitlines() if not line.lstrip().startswith("#"))
        one_line = " ".join(" ".join(kept).split())
        text = re.sub(rf"\$\{{{name}\[@\]\}}|\$\{{?{name}\b\}}?", one_line.replace("\\", "\\\\"), text)
    return text


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with known variables, defaults (`${X:-8}`) and sums (`$((1024 * 2))`) replaced."""
    for _ in range(4):  # a variable inside a default, a default inside a sum
        replaced = VARIABLE.sub(lambda m: variables.get(m.group(1) or m.group(3), _default(m)), text)
        replaced = ARITHMETIC.sub(lambda m: _sum(m, variables), replaced)
        if replaced == text:
            break
        text = replaced
    return text.replace("$(pwd)/", "").replace("$PWD/", "").replace("$HOME/", "~/")


def _default(match: re.Match[str]) -> str:
    return match.group(2) if match.group(2) is not None else match.group()


def _sum(match: re.Match[str], variables: Mapping[str, str]) -> str:
    numbers = re.sub(r"[A-Za-z_]\w*", lambda m: variables.get(m.group(), m.group()), match.group(1))
    try:
        return str(_value(ast.parse(numbers.strip(), mode="eval").body))
    except (SyntaxError, ValueError, ZeroDivisionError):
        return match.group()


def _value(node: ast.AST) -> int:
    """Return the value of a sum of whole numbers. Raises ValueError for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return int(OPERATORS[type(node.op)](_value(node.left), _value(node.right)))
    raise ValueError("no sum of whole numbers")

"""A canvas of coloured cells, and the small part of SVG that is drawn on it.

    <svg><rect x="1" y="2" width="3" height="4" fill="red"/><circle cx="8" cy="8" r="2" fill="blue"/>
    <line x1="0" y1="0" x2="5" y2="5" stroke="green"/></svg>

Coordinates are whole cells from the upper left corner; what lies outside is cut off, and later shapes cover earlier
ones. A picture is a text: a letter for the colour of each cell, `.` where nothing is painted, a line for each row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

COLOURS = {"red": "r", "green": "g", "blue": "b", "yellow": "y", "black": "k"}
BLANK, SHAPES, FARTHEST = ".", 50, 1000  # of a drawing: the number of its shapes, the size of its numbers
NEEDS = {
    "rect": ("x", "y", "width", "height", "fill"),
    "circle": ("cx", "cy", "r", "fill"),
    "line": ("x1", "y1", "x2", "y2", "stroke"),
}
_WHOLE = re.compile(r"\s*<svg\b[^<>]*>(.*)</svg>\s*", re.DOTALL)
_SHAPE = re.compile(r"\s*<(\w+)((?:\s+[\w:-]+\s*=\s*\"[^\"<>]*\")*)\s*(?:/>|>\s*</\1>)\s*")
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*\"([^\"]*)\"")
Cells = Iterator[tuple[int, int]]  # column and row


class DrawingError(ValueError):
    """A drawing cannot be rendered."""


def render(svg: str, size: int) -> str:
    """Draw on an empty canvas of `size` rows and columns. Raises DrawingError."""
    whole = _WHOLE.fullmatch(svg)
    if whole is None:
        raise DrawingError("the drawing does not begin with <svg> and end with </svg>")
    picture = [[BLANK] * size for _ in range(size)]
    for shape, attributes in _shapes(whole[1]):
        colour = attributes["stroke" if shape == "line" else "fill"]
        if colour not in COLOURS:
            raise DrawingError(f"no colour {colour!r:.20}; there are {', '.join(COLOURS)}")
        numbers = [_number(shape, name, attributes[name]) for name in NEEDS[shape][:-1]]
        for column, row in _cells(shape, numbers, size):
            if 0 <= column < size and 0 <= row < size:
                picture[row][column] = COLOURS[colour]
    return "\n".join("".join(row) for row in picture)


def _shapes(inside: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the name and the attributes of each shape."""
    end = count = 0
    while inside[end:].strip():
        found = _SHAPE.match(inside, end)
        if found is None or found[1] not in NEEDS:
            raise DrawingError(f"no shape: {inside[end:].strip()[:40]!r}; there are {', '.join(NEEDS)}")
        attributes = dict(_ATTRIBUTE.findall(found[2]))
        if missing := [name for name in NEEDS[found[1]] if name not in attributes]:
            raise DrawingError(f"a {found[1]} without {missing[0]}")
        end, count = found.end(), count + 1
        if count > SHAPES:
            raise DrawingError(f"more than {SHAPES} shapes")
        yield found[1], attributes


def _number(shape: str, name: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,4}", text.strip()) or abs(int(text)) > FARTHEST:
        raise DrawingError(f"{name} of a {shape} is {text!r:.20}, but must be a whole number of at most {FARTHEST}")
    return int(text)


def _cells(shape: str, numbers: list[int], size: int) -> Cells:
    if shape == "line":
        return _line(*numbers)
    if shape == "circle":
        x, y, radius = numbers
        return _circle(x, y, radius, size)
    x, y, width, height = numbers
    return ((c, r) for r in range(max(y, 0), min(y + height, size)) for c in range(max(x, 0), min(x + width, size)))


def _circle(x: int, y: int, radius: int, size: int) -> Cells:
    """Cells whose centre lies within the radius of the corner (x, y)."""
    for row in range(size):
        for column in range(size):
            if (2 * column + 1 - 2 * x) ** 2 + (2 * row + 1 - 2 * y) ** 2 <= 4 * radius**2 and radius > 0:
                yield column, row


def _line(x1: int, y1: int, x2: int, y2: int) -> Cells:
    """Cells between two cells, both included (Bresenham)."""
    steps = max(abs(x2 - x1), abs(y2 - y1))
    for k in range(steps + 1):
        yield tuple(a + _rounded((b - a) * k, steps) for a, b in ((x1, x2), (y1, y2)))  # type: ignore[misc]


def _rounded(top: int, bottom: int) -> int:
    """Divide and round half away from 0, so that a line is the same in both directions of an axis."""
    if not bottom:
        return 0
    whole = (2 * abs(top) + bottom) // (2 * bottom)
    return whole if top >= 0 else -whole


def differences(picture: str, target: str) -> list[tuple[int, int, str, str]]:
    """List the cells that differ: row, column, the letter in the picture, and that in the target."""
    rows = enumerate(zip(picture.split("\n"), target.split("\n"), strict=True))
    return [(r, c, a, b) for r, (one, two) in rows for c, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]


def similarity(picture: str, target: str) -> float:
    """Compute the share of equal cells among those that are painted in either picture; 1 where both are blank.

    The blank cells that both have do not count, or else an empty canvas would be like any picture.
    """
    either = sum(a != BLANK or b != BLANK for a, b in zip(picture, target, strict=True) if a != "\n")
    return 1 - len(differences(picture, target)) / either if either else 1.0

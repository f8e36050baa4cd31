"""What is seen of a state: a small picture, and its caption in words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from posttrain.errors import ConfigError
from posttrain.learners.world import State, World

Picture = NDArray[np.uint8]  # [height, width, 3]
CELL = 8  # pixels of a place
FLOOR, WALKER, KEY, DOOR, OPEN = (230, 230, 230), (40, 90, 200), (230, 190, 30), (120, 70, 30), (40, 170, 80)


def picture(world: World, state: State) -> Picture:
    """Draw a state: as the world's own `picture` does, else as a room (x, y) or a row of places.

    Raises ConfigError for a world of which nothing can be drawn.
    """
    if hasattr(world, "picture"):
        return np.asarray(world.picture(state), dtype=np.uint8)
    if hasattr(world, "size") and hasattr(state, "x") and hasattr(state, "y"):
        return _room(int(world.size), state)
    if hasattr(world, "length") and isinstance(state, int):
        row = np.full((1, int(world.length), 3), FLOOR, dtype=np.uint8)
        row[0, -1], row[0, state] = DOOR, WALKER
        return _large(row)
    raise ConfigError(f"{type(world).__name__} cannot be drawn; give it a method picture(state) -> [height, width, 3]")


def _room(size: int, place: Any) -> Picture:
    cells = np.full((size, size, 3), FLOOR, dtype=np.uint8)
    cells[-1, -1] = OPEN if getattr(place, "out", False) else DOOR
    if not getattr(place, "key", True):
        cells[0, 0] = KEY
    drawn = _large(cells)
    edge = CELL // 4
    y, x = place.y * CELL, place.x * CELL
    drawn[y + edge : y + CELL - edge, x + edge : x + CELL - edge] = WALKER
    if getattr(place, "key", False):
        drawn[y + edge, x + edge : x + CELL - edge] = KEY
    return drawn


def _large(cells: Picture) -> Picture:
    return np.asarray(cells.repeat(CELL, axis=0).repeat(CELL, axis=1))

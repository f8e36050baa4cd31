"""Large Language Models As Evolution Strategies (Lange et al., 2024): solutions as the integers that a model reads.

The last generations are shown as lines of integers with their fitness, from the worst to the best. The last line asks
for a better fitness, and the model completes the integers: the next mean of the search.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from posttrain.errors import ConfigError

Vector = tuple[float, ...]
Solution = tuple[Vector, float]  # with its fitness, of which a lower one is better


@dataclass(frozen=True)
class Grid:
    """The integers 0 .. bins - 1 for numbers from low to high. A number beyond an end is at the end."""

    low: float
    high: float
    bins: int = 1000

    def __post_init__(self) -> None:
        if not (self.low < self.high and self.bins >= 2):
            raise ConfigError(
                f"a grid from low={self.low:g} to high={self.high:g} of bins={self.bins} holds no two numbers: give a "
                "low below high, and at least 2 bins"
            )

    def integers(self, x: Sequence[float]) -> tuple[int, ...]:
        """Return the integer of each number: that of the bin that it lies in."""
        return tuple(min(self.bins - 1, max(0, floor((v - self.low) * self.bins / (self.high - self.low)))) for v in x)

    def numbers(self, integers: Sequence[int]) -> Vector:
        """Return the middle of each bin: half a bin at most from what was made an integer."""
        width = (self.high - self.low) / self.bins
        return tuple(self.low + (i + 0.5) * width for i in integers)


def history(generations: Sequence[Sequence[Solution]], count: int, members: int) -> list[Solution]:
    """Return the best `members` of each of the last `count` generations, all from the worst to the best."""
    last = generations[max(0, len(generations) - count) :]
    kept = [sorted(g, key=lambda m: m[1])[:members] for g in last]
    return sorted((m for g in kept for m in g), key=lambda m: -m[1])


def request(shown: Sequence[Solution], grid: Grid, block: slice, wanted: float) -> str:
    """Write the lines of a block of coordinates, and the one that the model completes."""
    lines = [f"fitness {f:.4g}: {', '.join(map(str, grid.integers(x[block])))}" for x, f in shown]
    return "\n".join([*lines, f"fitness {wanted:.4g}:"])


def better(best: float, worst: float) -> float:
    """Return the fitness that is asked for: below the best by a tenth of the range that is shown, at least by a bit."""
    return best - max(0.1 * (worst - best), 1e-3 * abs(best), 1e-9)


def parsed(text: str, length: int, grid: Grid) -> tuple[int, ...] | None:
    """Return the integers of the first line that has any; None unless they are `length` integers of the grid."""
    line = next((line for line in text.splitlines() if re.search(r"\d", line)), "").split(":")[-1]
    if re.search(r"\.\d", line):  # 0.5 is not the integers 0 and 5
        return None
    found = tuple(int(n) for n in re.findall(r"-?\d+", line))
    usable = len(found) == length and all(0 <= i < grid.bins for i in found)
    return found if usable else None

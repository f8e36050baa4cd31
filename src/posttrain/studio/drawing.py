"""Small drawings that need no script."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 120, 28


def spark(curve: Sequence[tuple[float, float]]) -> str:
    """Return the points of an SVG polyline in a box of WIDTH x HEIGHT; a flat curve lies in the middle."""
    if len(curve) < 2:
        return ""
    (left, *_, right), values = [x for x, _ in curve], [y for _, y in curve]
    low, high = min(values), max(values)
    across, up = (right - left) or 1, high - low
    heights = [(y - low) / up if up else 0.5 for y in values]
    places = zip(curve, heights, strict=True)
    return " ".join(f"{(x - left) / across * WIDTH:.1f},{(1 - h) * (HEIGHT - 4) + 2:.1f}" for (x, _), h in places)

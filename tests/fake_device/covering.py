"""What suffices to try: few things that together need everything that any of them needs."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any


def covering(needs: Mapping[str, Collection[Any]]) -> Iterator[str]:
    """Yield few names whose needs are together those of all, each time the one that adds most."""
    left = {name: set(parts) for name, parts in needs.items()}
    while left:
        name = max(left, key=lambda name: len(left[name]))
        yield name
        left = {other: new for other, parts in left.items() if (new := parts - left[name])}

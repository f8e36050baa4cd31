"""Where posttrain keeps what it can make again: compiled libraries and converted models.

$POSTTRAIN_CACHE if it is set, else $XDG_CACHE_HOME/posttrain, else ~/.cache/posttrain.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "POSTTRAIN_CACHE"


def cache_folder(*parts: str) -> Path:
    """Return the cache folder, or the folder `parts` below it. It is not created. An empty variable counts as unset."""
    if own := os.environ.get(VARIABLE):
        return Path(own, *parts)
    shared = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(shared, "posttrain", *parts)

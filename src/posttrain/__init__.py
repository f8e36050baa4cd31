"""posttrain: reinforcement learning for language models, end to end.

    import posttrain

    posttrain.train(model="smollm2", method="online/grpo", data="arithmetic", rewards="math_answer")

Importing this package loads no torch; the names below are resolved when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posttrain.core.method import Derived, Method, Sampling, Stream, Term, variant
    from posttrain.core.parts import pairwise, part
    from posttrain.launch.result import Result
    from posttrain.launch.train import train
    from posttrain.training.session import Session

_HOMES = {
    "train": "posttrain.launch.train",
    "Result": "posttrain.launch.result",
    "Session": "posttrain.training.session",
    "Method": "posttrain.core.method",
    "Term": "posttrain.core.method",
    "variant": "posttrain.core.method",
    "Derived": "posttrain.core.method",
    "Stream": "posttrain.core.method",
    "Sampling": "posttrain.core.method",
    "part": "posttrain.core.parts",
    "pairwise": "posttrain.core.parts",
}
__all__ = [
    "Derived",
    "Method",
    "Result",
    "Sampling",
    "Session",
    "Stream",
    "Term",
    "pairwise",
    "part",
    "train",
    "variant",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'posttrain' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

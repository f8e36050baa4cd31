"""posttrain: reinforcement learning for language models, end to end.

    import posttrain

    posttrain.train(model="smollm2", method="online/grpo", data="arithmetic", rewards=["math_answer"])

Importing this package loads no torch; the names below are resolved when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posttrain.launch import Result, train
    from posttrain.method import Derived, Method, Sampling, Stream, Term, variant
    from posttrain.parts import pairwise, part
    from posttrain.session import Session

_HOMES = {
    "train": "posttrain.launch",
    "Result": "posttrain.launch",
    "Session": "posttrain.session",
    "Method": "posttrain.method",
    "Term": "posttrain.method",
    "variant": "posttrain.method",
    "Derived": "posttrain.method",
    "Stream": "posttrain.method",
    "Sampling": "posttrain.method",
    "part": "posttrain.parts",
    "pairwise": "posttrain.parts",
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

"""What an output is, and how it is found: `score` is models/outputs/score.py, which defines OUTPUT."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from posttrain.core.folder import file_names
from posttrain.errors import ModelError, suggestion
from posttrain.models import outputs
from posttrain.models.forward_pass import ForwardPass


@dataclass(frozen=True)
class Output:
    """A function of a forward pass, the axes of what it gives, and the head that it reads, if any.

    `of_members`: whether a model whose members have adapters of their own gives it. `writes`: it reads the last layer
    of a language model, which a classifier lacks. `order`: outputs of one pass are computed in this order, so that
    their gradients always add up in the same way. `watches`: whether it reads the attention of the last layer.
    `hooks`: whether it reads the MLP of the last layer.
    """

    compute: Callable[[ForwardPass], Tensor]
    axes: str
    head: str | None = None
    order: int = 9
    of_members: bool = False
    writes: bool = False
    watches: bool = False
    hooks: bool = False


@functools.cache
def output(name: str) -> Output:
    """The output of a name. ModelError, with a suggestion, for one that has no file."""
    if name not in names():
        raise ModelError(f"no output {name!r}{suggestion(name, names())}; there are {', '.join(names())}")
    found: Output = importlib.import_module(f"{outputs.__name__}.{name}").OUTPUT
    return found


def names() -> list[str]:
    """Names of all outputs."""
    return [name for name in file_names(outputs.__path__) if name != "output"]


def heads() -> list[str]:
    """Names of the heads that some output reads."""
    return sorted({made.head for made in map(output, names()) if made.head})

"""What fully trained parameters beside adapters were before training: the base model that a reference computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn


class Originals(dict[str, Tensor]):
    """The values of parameters before training, by name. They never change, so copies of a network share them."""

    def __deepcopy__(self, memo: object) -> Originals:
        return self


@contextmanager
def restored(module: nn.Module, originals: Originals) -> Iterator[None]:
    """Give the parameters their original values inside the context. Their memory is exchanged, nothing is copied."""
    parameters = {name: module.get_parameter(name) for name in originals}
    trained = {name: parameter.data for name, parameter in parameters.items()}
    for name, parameter in parameters.items():
        parameter.data = originals[name]
    try:
        yield
    finally:
        for name, parameter in parameters.items():
            parameter.data = trained[name]

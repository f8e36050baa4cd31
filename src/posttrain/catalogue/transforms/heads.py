"""The heads that a method reads as settings: `scores.size: 8`, `scores.mix: [0.65, 0.8]`, `scores.each: [0.5, 0.5, 0]`.

Only tensors with several numbers a row have them, by the names that the method's `fields` give these.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from posttrain.core.method import Method, variant
from posttrain.core.parts import PartError
from posttrain.core.vocabulary import Field, Source

DOCS = {
    "size": "how many numbers the head gives for a row; at least 2",
    "mix": "weight of each attribute in the score, any numbers; as many as the column has",
    "each": "weights of the numbers that describe one attribute; they usually add up to 1",
}
HEAD_KEYS = tuple(DOCS)


def heads_of(method: Method) -> dict[str, Source]:
    """The tensors of several numbers a row that the method reads from a head, by name."""
    return {name: f.source for name, f in method.fields.items() if f.source and f.source.size > 1}


def head_settings(method: Method) -> list[tuple[str, str, str]]:
    """Name, value and meaning of every setting: mix and each of a head with a score, else its size."""
    found: list[tuple[str, str, str]] = []
    for name, source in heads_of(method).items():
        values = {"mix": _text(source.mix), "each": _text(source.each)} if source.mix else {"size": f"{source.size}"}
        found += [(f"{name}.{key}", value, DOCS[key]) for key, value in values.items()]
    return found


def _text(weights: tuple[float, ...]) -> str:
    equal = len(weights) > 1 and len(set(weights)) == 1
    return f"[{weights[0]:.3g}] x {len(weights)}" if equal else f"[{', '.join(f'{w:.3g}' for w in weights)}]"


def reshaped(method: Method, name: str, key: str, value: Any) -> Method:
    """Return the method with another head. Raises PartError for a value that cannot be, or a key without effect."""
    source = own = heads_of(method)[name]
    if key == "size":
        source = _of_size(source, f"method.{name}.{key}", value)
    elif not source.mix:
        raise PartError(f"method.{name}.{key}: the numbers of this head do not add up to a score; it has only a size")
    else:
        weights = _weights(f"method.{name}.{key}", value)
        source = replace(source, mix=weights) if key == "mix" else replace(source, each=weights)
        source = replace(source, size=len(source.weights))
    alike = [n for n, s in heads_of(method).items() if (s.model, s.output) == (own.model, own.output)]
    return variant(method, fields=method.fields | {n: _reading(method.fields[n], source) for n in alike})


def _reading(field: Field, head: Source) -> Field:
    """The field of a tensor that reads a head of another size."""
    assert field.source is not None
    return replace(field, source=replace(field.source, size=head.size, mix=head.mix, each=head.each))


def _of_size(source: Source, path: str, size: Any) -> Source:
    """The head with another number of numbers; those of one attribute have equal weights."""
    if not isinstance(size, int) or isinstance(size, bool) or size < 2:
        raise PartError(f"{path} must be a whole number of at least 2, not {size!r}")
    if not source.mix:
        return replace(source, size=size)
    number, rest = divmod(size, len(source.mix))
    if rest:
        raise PartError(f"{path} is {size}, which is no multiple of the {len(source.mix)} attributes of the mix")
    return replace(source, size=size, each=(math.fsum(source.each) / number,) * number)


def _weights(path: str, value: Any) -> tuple[float, ...]:
    given = value if isinstance(value, tuple) else ()
    if not given or any(isinstance(x, bool) or not isinstance(x, int | float) for x in given):
        raise PartError(f"{path} must be a list of numbers, not {value!r}")
    return tuple(map(float, given))

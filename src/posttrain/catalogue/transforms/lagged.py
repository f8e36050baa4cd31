"""Settings of what a method has beside its parts: moving averages (`mask.batches: 5`) and decoders of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from posttrain.core.method import Method, Sampling, Stream, variant
from posttrain.core.parts import PartError


def paced(method: Method, name: str, key: str, value: Any) -> Method:
    """Return the method with an average that decays otherwise or is renewed after another number of batches."""
    average, number = method.averages[name], isinstance(value, int | float) and not isinstance(value, bool)
    if key == "batches":
        if not number or value != int(value) or value < 0:
            raise PartError(f"method.{name}.batches must be a whole number of at least 0, not {value!r}")
        average = replace(average, batches=int(value))
    else:
        if not number or not 0 <= value <= 1:
            raise PartError(f"method.{name}.decay must be a number from 0 to 1, not {value!r}")
        average = replace(average, decay=float(value))
    return variant(method, averages=method.averages | {name: average})


def drawn(stream: Stream, key: str, old: Sequence[Any], value: Any) -> Stream:
    """Return the stream with decoders that draw by the same setting as the loss, if they had its old value."""
    return replace(stream, sampling=tuple(_drawn(sampling, key, old, value) for sampling in stream.sampling))


def _drawn(sampling: Sampling, key: str, old: Sequence[Any], value: Any) -> Sampling:
    if sampling.decoder is None:
        return sampling
    settings = ((k, value if k == key and v in old else v) for k, v in sampling.decoder.settings)
    return replace(sampling, decoder=replace(sampling.decoder, settings=tuple(settings)))

"""Streams that a weight of 0 leaves without a reader: online/ppo_ptx with `pretrain.weight: 0` needs no text."""

from __future__ import annotations

from posttrain.core.method import MAIN, Method, variant, without


def without_idle_streams(method: Method) -> Method:
    """Return the method without the streams that only terms of weight 0 read, and without these terms."""
    read = {MAIN, *(t.over for t in method.loss.values() if t.weight != 0)}
    read |= {s for d in method.derived.values() for s in d.streams}
    idle = [s for s in method.streams if s not in read]
    if not idle:
        return method
    return variant(
        method,
        streams=without(method.streams, *idle),
        loss={k: t for k, t in method.loss.items() if t.over not in idle},
        metrics={k: t for k, t in method.metrics.items() if t.over not in idle},
    )

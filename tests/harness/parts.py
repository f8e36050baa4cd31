"""The parts of a method, those inside others included."""

from __future__ import annotations

from posttrain.core.method import Method
from posttrain.core.parts import Part, pick


def every_part(method: Method) -> list[Part]:
    slots = [*method.derived.values(), *method.loss.values(), *method.metrics.values()]
    roots = [*(slot.part for slot in slots), *method.cuts]
    return [p for root in roots for p in root.walk() if p.fn is not pick]

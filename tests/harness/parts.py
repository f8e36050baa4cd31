"""The parts of a method, those inside others included."""

from __future__ import annotations

from posttrain.core.method import Method
from posttrain.core.parts import Part, pick


def every_part(method: Method) -> list[Part]:
    slots = [*method.derived.values(), *method.loss.values(), *method.metrics.values()]
    return [p for slot in slots for p in slot.part.walk() if p.fn is not pick]

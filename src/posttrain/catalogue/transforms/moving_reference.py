"""A reference that follows the policy: `method: {path: online/rloo, moving_reference: 0.01}`.

The moving-average anchor of WARP (Ramé et al., 2024), for any method that reads the reference. After every optimiser
step

    θ_ref ← (1 - μ) θ_ref + μ θ

μ = 0 leaves the reference where it is, which is the method itself. With μ = 1 it is the policy before each batch, so
that a KL to it holds back nothing but the steps of one batch.
"""

from __future__ import annotations

from typing import Any

from posttrain.core.method import Method, variant
from posttrain.core.parts import PartError
from posttrain.core.weights import Average

REFERENCE, POLICY = "reference", "policy"


def with_moving_reference(method: Method, rate: Any) -> Method:
    """Return the method with a reference that moves by `rate` of the way to the policy after every step.

    Raises PartError for a rate outside [0, 1], and for a method that reads no reference.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise PartError(
            f"method.moving_reference must be a number from 0 (it stays) to 1 (it is the policy), not {rate!r}"
        )
    sources = [method.vocabulary[name].source for name in method.reads if name in method.vocabulary]
    if not any(source is not None and source.model == REFERENCE for source in sources):
        raise PartError(
            f"method.moving_reference: {method.name} reads no reference, so nothing could follow the policy"
        )
    if rate == 0:
        return method
    return variant(method, averages=method.averages | {REFERENCE: Average(POLICY, 1 - float(rate))})

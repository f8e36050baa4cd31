"""Decoding-time Realignment of Language Models (Liu et al., 2024).

DeRa: answers as a model would give them that was aligned with another pull towards its reference.

    π_λ ∝ π_ref (π / π_ref)^λ,    logits = (1 - λ) h_ref + λ h

Trained with β, the policy becomes the one that β/λ would have made: exactly over whole answers, token by token an
approximation. λ = 0 is the reference and λ = 1 the policy; more extrapolates.
"""

from __future__ import annotations

from posttrain.core.decoder import Logits


def dera(policy: Logits, reference: Logits, *, lam: float = 0.5) -> Logits:
    """Interpolate the logits of the reference and the policy.

    Settings:
        lam: λ, β of the training over the wanted one; 0 to 1 interpolates, above 1 extrapolates, 0.25 to 2 is usual.
    """
    if lam in (0, 1):  # either model, to the last bit
        return policy if lam else reference
    return (1 - lam) * reference + lam * policy

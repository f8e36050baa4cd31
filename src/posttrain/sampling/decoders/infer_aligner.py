"""InferAligner: Inference-Time Alignment for Harmlessness through Cross-Model Guidance (Wang et al., 2024).

Where a prompt looks harmful to the model, what leaves its layers is shifted towards what an aligned model makes of
harmful prompts. `posttrain steer` makes the vectors.

    h_l ← h_l + α g_l θ_l,    g_l = [a_l · s_l + b_l > 0]

a_l is the activation behind the last token of the prompt, s_l the model's own direction of harm, b_l its threshold and
θ_l the safety vector of the aligned model, all of layer l. Where no layer sees harm the bits are those of the model.
The shift is at every token, those of the prompt included.
"""

from __future__ import annotations

import torch
from torch import Tensor

from posttrain.core.decoder import Hidden


def infer_aligner(
    hidden: Hidden,
    asked: Tensor,
    layer: int,
    safety: Tensor,
    related: Tensor,
    bias: Tensor,
    *,
    strength: float = 1.0,
) -> Hidden:
    """Shift what leaves a layer along the safety vector, if the prompt looks harmful there.

    Settings:
        strength: α, length of the shift in safety vectors; 0 is the model alone, 0.5 to 4 is usual.
    """
    harmful = asked @ related[layer] + bias[layer] > 0
    return torch.where(harmful, (hidden + strength * safety[layer]).to(hidden.dtype), hidden)

"""Vectors that steer a model away from harm, from what its layers make of harmful and harmless prompts.

Legend: P prompts, L layers, D hidden width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posttrain.errors import DataError
from posttrain.models.activations import activations
from posttrain.records import Prompt
from posttrain.training.session import Session


def steering(
    session: Session, prompts: Sequence[Prompt], label: str, *, first: float = 0.3, last: float = 0.8
) -> tuple[dict[str, Tensor], list[float]]:
    """Make the parts of the decoder infer_aligner; return them, and of each layer the share of prompts that it tells.

    `label`: the column that is true of harmful prompts. `first` and `last`: the layers that are steered, as shares of
    the depth. The models are the policy and the role `aligned`.
    """
    harmful = torch.tensor([bool(p.columns.get(label)) for p in prompts])
    if harmful.all() or not harmful.any():
        raise DataError(f"{label}: both harmful and harmless prompts are needed, and all {len(prompts)} are alike")
    tokens = [session.run.encoder.prompt(p) for p in prompts]
    networks = session.run.learner.models  # type: ignore[attr-defined]
    own, aligned = (activations(networks[role], tokens).float().cpu() for role in ("policy", "aligned"))
    if own.shape != aligned.shape:
        raise DataError(
            f"aligned: it has {list(aligned.shape[1:])} layers and width, and the model {list(own.shape[1:])}"
        )
    parts = vectors(own, aligned, harmful, first, last)
    told = (torch.einsum("pld,ld->pl", own, parts["related"]) + parts["bias"] > 0) == harmful[:, None]
    return parts, told.float().mean(0).tolist()


def vectors(own: Tensor, aligned: Tensor, harmful: Tensor, first: float, last: float) -> dict[str, Tensor]:
    """The safety vectors θ, the model's own directions s and their thresholds b, from activations [P, L, D].

    θ_l = mean harmful - mean harmless of the aligned model,    s_l the same of the model, of length 1
    b_l = -(mean harmful + mean harmless)·s_l / 2;    -∞ in layers that are not steered
    """
    (bad, good), (aligned_bad, aligned_good) = ((x[harmful].mean(0), x[~harmful].mean(0)) for x in (own, aligned))
    related = torch.nn.functional.normalize(bad - good, dim=-1)
    bias = -((bad + good) * related).sum(-1) / 2
    layer = torch.arange(len(bias)) / len(bias)
    bias[(layer < first) | (layer >= last)] = -torch.inf
    return {"safety": aligned_bad - aligned_good, "related": related, "bias": bias}

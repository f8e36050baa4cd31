"""How much the adapters of the members of an ensemble differ: [B], the same number for every row."""

from __future__ import annotations

import torch
from torch import Tensor

from posttrain.errors import ModelError
from posttrain.models.forward_pass import ForwardPass
from posttrain.models.member_lora import gram
from posttrain.models.outputs.output import Output

SMALLEST = 1e-12  # of an eigenvalue, below which its root has no gradient


def diversity(p: ForwardPass) -> Tensor:
    """‖[vec ΔW_1; ...; vec ΔW_M]‖_*, the sum of the singular values of the members' updates, a row for each member."""
    network = p.network
    if getattr(network, "lora_members", None) is None:
        raise ModelError("diversity is that of members with adapters of their own; set model.lora.members")
    values = torch.linalg.eigvalsh(gram(network).double())  # type: ignore[arg-type]
    norm: Tensor = (values.clamp(min=0) + SMALLEST).sqrt().sum()
    return norm.to(p.states.dtype).expand(p.rows.count)


OUTPUT = Output(diversity, "B", order=7, of_members=True)

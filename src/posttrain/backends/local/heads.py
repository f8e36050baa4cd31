"""The heads that a plan reads: there with the right size, or made where they are trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from posttrain.core.vocabulary import Source
from posttrain.errors import ModelError
from posttrain.models.mix import mix_of, set_mix
from posttrain.models.network import Network
from posttrain.models.outputs.output import output
from posttrain.seeds import seed_for

REMEDIES = {
    "doubt": "procedure: reward/laplace",
    "gate": "procedure: reward/armorm",
    "prototype": "procedure: reward/proto_rm",
}


def ensure_head(module: Any, source: Source, seed: int, *, trained: bool) -> None:
    """Add the head that an output reads to a model that is trained and lacks it.

    Raises ModelError for a frozen model without it, whose head would be random, for a head of another size, and for a
    classifier whose log-probs are read.
    """
    made, heads = output(source.output), getattr(module, "heads", None)
    if made.writes and isinstance(module, Network):
        module.check_writes(f"gives no {source.output}, which the method reads of the {source.model}")
    name = made.head
    if name is None or heads is None:
        return
    if name in heads:
        combined = source.output != "scores" and name == "score" and getattr(module, "members", None) is not None
        combined = combined or (source.output == "score" and "gate" in heads)
        one = combined or (source.size == 1 and mix_of(heads[name]) is not None)
        size = 1 if one else len(heads[name].weight)
        if source.size not in (0, size):
            remedy = f"; models.{source.model}.ensemble says how the scores of members become one"
            remedy = remedy if name == "score" and source.size == 1 else ""
            raise ModelError(
                f"models.{source.model}: its {name} head gives {size} numbers, and the method reads {source.size}"
                + remedy
            )
        if trained and source.mix:
            set_mix(heads[name], source.weights)
        return
    if not trained:
        raise ModelError(
            f"models.{source.model}: the model has no {name} head, so it gives no {source.output}; train one first "
            f"({REMEDIES.get(name, 'method: reward/bradley_terry')}), and name the folder of its model"
        )
    size, members = max(source.size, 1), getattr(module, "lora_members", None)
    if members is not None and members.count != size:
        raise ModelError(
            f"models.{source.model}: lora.members is {members.count} and the method reads {size} "
            f"score{'s' * (size != 1)}; give the method that number (reward/ensemble: member_scores.size)"
        )
    module.add_head(name, seed_for(seed, "head", source.model, name), size, source.weights)


def write_head(module: Any, name: str, weight: Tensor) -> None:
    """Give a model a head, or another one, with these weights [K, D] and no bias."""
    module.add_head(name, size=len(weight))
    with torch.no_grad():
        module.heads[name].weight.copy_(weight)


def add_saved_heads(module: Any, weights: Mapping[str, Tensor]) -> None:
    """Add the heads that a saved state has and the model lacks, for the state to fill."""
    heads = getattr(module, "heads", ())
    for head in dict.fromkeys(n.split(".")[1] for n in weights if n.startswith("heads.")):
        if head not in heads:  # in the order of their creation, which is the optimiser's
            size, mix = len(weights[f"heads.{head}.weight"]), weights.get(f"heads.{head}.mix", ())
            module.add_head(head, size=size, mix=mix)

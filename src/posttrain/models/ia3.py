"""Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning: (IA)³ (Liu et al., 2022).

A vector for each layer with an adapter scales what the layer writes (keys, values) or reads (the last matrix of the
MLP). It begins as ones.

    l ⊙ (W x + b)        or        W (l ⊙ x) + b
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from posttrain.errors import ModelError
from posttrain.models.adapters import insert, refuse_others
from posttrain.models.lora_targets import named_layers
from posttrain.models.network import Network


def add_ia3(network: Network, targets: Sequence[str] = (), inputs: Sequence[str] | None = None) -> None:
    """Freeze the trunk and scale what some of its layers write or read by trainable vectors. Heads stay trainable.

    `targets` are names of layers; none are those that peft takes for the architecture. `inputs` are those among them
    that scale what they read; null is peft's choice. A new adapter does not change the outputs, bit for bit. Raises
    ModelError if the model has adapters already, or for names of no linear layer or of the last one.
    """
    from peft import IA3Config

    refuse_others(network)
    chosen = targets or _usual(network, "TARGET")
    if not chosen:
        raise ModelError(f"ia3: peft names no layers of {type(network.trunk).__name__}; set ia3.targets, ia3.inputs")
    layers = named_layers(network, chosen, "ia3.targets")
    reading = [n for n in _usual(network, "FEEDFORWARD") if n in chosen] if inputs is None else list(inputs)
    if other := sorted({*reading} - {*chosen}):
        raise ModelError(f"ia3.inputs: {other[0]} is not among the targets {', '.join(chosen)}; add it to ia3.targets")
    _refuse_unscaled(network, layers)
    config = IA3Config(target_modules=list(chosen), feedforward_modules=reading, task_type="CAUSAL_LM")
    insert(network, config, {}, seed=0)


def _usual(network: Network, which: str) -> Sequence[str]:
    """The names of layers that peft takes for an architecture; none where it knows none."""
    from peft.utils import constants

    usual = getattr(constants, f"TRANSFORMERS_MODELS_TO_IA3_{which}_MODULES_MAPPING")
    names: Sequence[str] = usual.get(network.trunk.config.get_text_config().model_type, ())
    return names


def _refuse_unscaled(network: Network, layers: Mapping[str, nn.Module]) -> None:
    """Raise ModelError for a module that is no linear layer, and for the last layer, which other code reads whole."""
    from transformers.pytorch_utils import Conv1D

    for name, layer in layers.items():
        if not isinstance(layer, nn.Linear | Conv1D) or layer is network.trunk.get_output_embeddings():
            raise ModelError(
                f"ia3.targets: {name} is the last layer or no linear one, which (IA)³ does not scale; remove it"
            )

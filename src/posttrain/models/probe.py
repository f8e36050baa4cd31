"""Does a model give the same on flat tokens as on its own? Asked once, when it is loaded."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from posttrain.errors import ModelError
from posttrain.models.attention import NAME, Packed
from posttrain.models.network import Network

LENGTHS = (5, 3)
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}  # relative; 5e-2 for narrower types


class _Witness(Packed):
    """Packed attention that remembers which layers called it, and with which window."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(LENGTHS, device)
        self.windows: dict[int, int | None] = {}

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        self.windows[layer] = window
        return super().attend(layer, query, key, value, scaling, window)


@torch.no_grad()
def probe(network: Network) -> None:
    """ModelError unless two short rows, run end to end in train() mode, give the logits of the unchanged model.

    It finds what would otherwise be silently wrong: layers that mix tokens across rows (convolutions, state spaces),
    positions that do not come from position ids, dropout, logits that are scaled or capped after the last layer.
    """
    trunk = network.trunk
    name, weight = type(trunk).__name__, network.unembedding[0]
    tokens = (torch.arange(sum(LENGTHS), device=weight.device) * 7 + 3) % weight.shape[0]
    witness, training = _Witness(weight.device), network.training
    rows = torch.split(tokens, list(LENGTHS))
    try:
        trunk.eval().set_attn_implementation("eager")
        expected = torch.cat([trunk(input_ids=row[None], use_cache=False).logits[0] for row in rows])
        trunk.set_attn_implementation(NAME)
        found = network.train().logits(network.states(tokens, witness))
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(f"{name} cannot run on flat tokens: {error}") from error
    finally:
        network.train(training)
    _check_layers(trunk.config.get_text_config(), witness, name)
    distance = float((found - expected).norm() / expected.norm().clamp(min=1e-30))
    if not distance < TOLERANCE.get(weight.dtype, 5e-2):
        raise ModelError(
            f"{name} gives other logits on flat tokens (relative difference {distance:.1e}): model not supported"
        )


def _check_layers(config: Any, witness: _Witness, name: str) -> None:
    count = config.num_hidden_layers
    missing = sorted(set(range(count)) - set(witness.windows))
    if missing:
        raise ModelError(f"layers {missing} of {name} do not use the attention interface: model not supported")
    for layer, kind in enumerate(getattr(config, "layer_types", None) or ["full_attention"] * count):
        if kind not in ("full_attention", "sliding_attention"):
            raise ModelError(f"layer {layer} of {name} has {kind}: model not supported")
        if kind == "sliding_attention" and witness.windows[layer] is None:
            raise ModelError(f"layer {layer} of {name} does not pass its window on: model not supported")

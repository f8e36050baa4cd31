"""Does a model give the same here as on its own? Asked once, when it is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from posttrain.errors import ModelError
from posttrain.models.attention import Packed
from posttrain.models.network import Network
from posttrain.models.padded import Padded

LENGTHS = (5, 3)
WRITTEN = (24, 17)  # what a cache gets wrong grows with what it holds
REFUSED = ": model not supported"
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}  # relative; 5e-2 for narrower types
FAILURES = (TypeError, ValueError, RuntimeError, AttributeError, LookupError, ImportError)  # to run


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
    """ModelError unless two short rows, run together in train() mode, give the logits of the unchanged model.

    It finds what would otherwise be silently wrong: layers that mix tokens across rows (convolutions, state spaces),
    positions that do not come from position ids, dropout, logits that are scaled or capped after the last layer;
    on padded rows models that look to the right, and caches that lose something.
    """
    trunk, how = network.trunk, "on flat tokens" if network.flat else "on padded rows"
    name, weight = type(trunk).__name__, network.unembedding[0]
    tokens, tolerance = _tokens(network, LENGTHS), TOLERANCE.get(weight.dtype, 5e-2)
    witness, training, attention = _Witness(weight.device), network.training, trunk.config._attn_implementation
    rows = torch.split(tokens, list(LENGTHS))
    try:
        trunk.eval().set_attn_implementation("eager")
        expected = torch.cat([trunk(input_ids=row[None], use_cache=False).logits[0] for row in rows])
        trunk.set_attn_implementation(attention)
        found = network.train().logits(network.states(tokens, witness))
    except FAILURES as error:
        raise ModelError(f"{name} cannot run {how}: {error}") from error
    finally:
        network.train(training)
    if network.flat:
        _check_layers(trunk.config.get_text_config(), witness, name)
    if not (distance := _distance(found, expected)) < tolerance:
        raise ModelError(f"{name} gives other logits {how} (relative difference {distance:.1e}){REFUSED}")
    if isinstance(network, Padded):
        _try_cache(network, tolerance)


def _tokens(network: Network, lengths: Sequence[int]) -> Tensor:
    return (torch.arange(sum(lengths), device=network.device) * 7 + 3) % network.vocabulary


def _distance(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm().clamp(min=1e-30))


def _try_cache(network: Padded, tolerance: float) -> None:
    """Sample with a cache if that gives the logits of the network, else without."""
    tokens = _tokens(network, WRITTEN)
    logits = network.logits(network.states(tokens, Packed(WRITTEN, tokens.device)))
    rows, laws = (torch.split(x, list(WRITTEN)) for x in (tokens, logits))
    wanted = torch.cat([law[1:] for law in laws])
    for network.cached in (True, False):
        try:
            if _distance(_generated(network, rows), wanted) < tolerance:
                return
        except FAILURES:
            continue
    raise ModelError(f"{type(network.trunk).__name__} gives other logits when it samples{REFUSED}")


def _generated(network: Padded, rows: Sequence[Tensor]) -> Tensor:
    """Logits after the second and each further token of the rows, which `generate` writes together."""
    seen: list[Tensor] = []

    def following(tokens: Tensor, scores: Tensor) -> Tensor:
        seen.append(scores)
        token = torch.stack([row[min(tokens.shape[1], len(row) - 1)] for row in rows])
        return torch.full_like(scores, -torch.inf).scatter_(1, token[:, None], 0)

    def done(tokens: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG001
        return torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)

    network.generate(torch.stack([row[:2] for row in rows]), max(WRITTEN) - 1, following, done)
    return torch.cat([torch.stack(seen[: len(row) - 1])[:, number] for number, row in enumerate(rows)])


def _check_layers(config: Any, witness: _Witness, name: str) -> None:
    count = config.num_hidden_layers
    missing = sorted(set(range(count)) - set(witness.windows))
    if missing:
        raise ModelError(f"layers {missing} of {name} do not use the attention interface{REFUSED}")
    for layer, kind in enumerate(getattr(config, "layer_types", None) or ["full_attention"] * count):
        if kind not in ("full_attention", "sliding_attention"):
            raise ModelError(f"layer {layer} of {name} has {kind}{REFUSED}")
        if kind == "sliding_attention" and witness.windows[layer] is None:
            raise ModelError(f"layer {layer} of {name} does not pass its window on{REFUSED}")

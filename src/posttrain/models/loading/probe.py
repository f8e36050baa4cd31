"""The check of a model when it is loaded: does it compute the same here as in plain transformers?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from posttrain.errors import ModelError
from posttrain.models.attention import Packed
from posttrain.models.network import Network
from posttrain.models.padded import Padded

LENGTHS = (5, 3)  # tokens of the rows of the forward pass
GENERATED = (24, 17)  # and of generation; longer, since errors of a cache grow with what it holds
REFUSED = ": model not supported"
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}  # relative; 5e-2 for narrower dtypes
FAILURES = (TypeError, ValueError, RuntimeError, AttributeError, LookupError, ImportError)  # of a model that cannot run


class _Recorder(Packed):
    """Packed attention that records which layers call it, and with which window."""

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
    """Raise ModelError unless two short rows, run together in train() mode, give the logits of the unchanged model.

    It finds what would otherwise be silently wrong: layers that mix tokens across rows (convolutions, state-space
    models), positions that do not come from position ids, dropout, logits that are scaled or capped after the last
    layer; on padded rows also models that look to the right, and incorrect caches.
    """
    trunk = network.trunk
    form = "on flat tokens" if network.flat else "on padded rows"
    name, weight = type(trunk).__name__, network.unembedding[0]
    tokens, tolerance = _tokens(network, LENGTHS), TOLERANCE.get(weight.dtype, 5e-2)
    recorder, training, attention = _Recorder(weight.device), network.training, trunk.config._attn_implementation
    rows = torch.split(tokens, list(LENGTHS))
    try:
        trunk.eval().set_attn_implementation("eager")
        expected = torch.cat([trunk(input_ids=row[None], use_cache=False).logits[0] for row in rows])
        trunk.set_attn_implementation(attention)
        logits = network.train().logits(network.states(tokens, recorder))
    except FAILURES as error:
        raise ModelError(f"{name} cannot run {form}: {error}") from error
    finally:
        network.train(training)
    if network.flat:
        _check_layers(trunk.config.get_text_config(), recorder, name)
    if not (distance := _distance(logits, expected)) < tolerance:
        raise ModelError(f"{name} gives other logits {form} (relative difference {distance:.1e}){REFUSED}")
    if isinstance(network, Padded):
        _choose_cache(network, tolerance)


def _tokens(network: Network, lengths: Sequence[int]) -> Tensor:
    return (torch.arange(sum(lengths), device=network.device) * 7 + 3) % network.vocab_size


def _distance(logits: Tensor, expected: Tensor) -> float:
    """The relative difference."""
    return float((logits - expected).norm() / expected.norm().clamp(min=1e-30))


def _choose_cache(network: Padded, tolerance: float) -> None:
    """Let the network sample with a cache if that gives its own logits, else without one. Raises ModelError."""
    tokens = _tokens(network, GENERATED)
    logits = network.logits(network.states(tokens, Packed(GENERATED, tokens.device)))
    rows, row_logits = (torch.split(x, list(GENERATED)) for x in (tokens, logits))
    expected = torch.cat([x[1:] for x in row_logits])
    for network.cached in (True, False):
        try:
            if _distance(_generated(network, rows), expected) < tolerance:
                return
        except FAILURES:
            continue
    raise ModelError(f"{type(network.trunk).__name__} gives other logits when it samples{REFUSED}")


def _generated(network: Padded, rows: Sequence[Tensor]) -> Tensor:
    """The logits after the second and each later token of the rows, while `generate` generates them together."""
    steps: list[Tensor] = []

    def choose(tokens: Tensor, scores: Tensor) -> Tensor:
        steps.append(scores)
        token = torch.stack([row[min(tokens.shape[1], len(row) - 1)] for row in rows])
        return torch.full_like(scores, -torch.inf).scatter_(1, token[:, None], 0)

    def done(tokens: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG001
        return torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)

    network.generate(torch.stack([row[:2] for row in rows]), max(GENERATED) - 1, choose, done)
    return torch.cat([torch.stack(steps[: len(row) - 1])[:, number] for number, row in enumerate(rows)])


def _check_layers(config: Any, recorder: _Recorder, name: str) -> None:
    """Raise ModelError unless every layer has called our attention, with its window if it has one."""
    count = config.num_hidden_layers
    missing = sorted(set(range(count)) - set(recorder.windows))
    if missing:
        raise ModelError(f"layers {missing} of {name} do not use the attention interface{REFUSED}")
    for layer, kind in enumerate(getattr(config, "layer_types", None) or ["full_attention"] * count):
        if kind not in ("full_attention", "sliding_attention"):
            raise ModelError(f"layer {layer} of {name} has {kind}{REFUSED}")
        if kind == "sliding_attention" and recorder.windows[layer] is None:
            raise ModelError(f"layer {layer} of {name} does not pass its window on{REFUSED}")

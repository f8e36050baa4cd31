"""Edits of what leaves each layer while a model answers one prompt: `Decoder.edits`."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from posttrain.core.decoder import Decoder
from posttrain.models.activations import activations
from posttrain.models.llama import Edit
from posttrain.models.network import Network
from posttrain.sampling.request import Request


def edit_for(decoder: Decoder, network: Network, prompt: Sequence[int]) -> Edit:
    """The edit of a decoder for the answers to a prompt, which the unchanged model reads first."""
    asked = activations(network, [prompt])[0].float()
    parts = {name: part.to(asked) for name, part in decoder.parts.items()}

    def edit(layer: int, hidden: Tensor) -> Tensor:
        return decoder(hidden=hidden, asked=asked[layer], layer=layer, **parts)

    return edit


def same_prompt(requests: Sequence[Request]) -> list[list[int]]:
    """The numbers of requests with the same prompt together, in the order in which prompts first appear."""
    numbers: dict[tuple[int, ...], list[int]] = {}
    for number, request in enumerate(requests):
        numbers.setdefault(request.prompt, []).append(number)
    return list(numbers.values())

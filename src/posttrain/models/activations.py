"""What leaves each layer of a model behind the last token of a prompt.

Legend: P prompts, L layers, D hidden width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posttrain.models.attention import Packed
from posttrain.models.network import Network

TOKENS = 8192  # of one forward pass


@torch.no_grad()
def activations(network: Network, prompts: Sequence[Sequence[int]]) -> Tensor:
    """Read prompts of tokens, and return what leaves each layer behind the last token of each: [P, L, D]."""
    found, batch = [], list[Sequence[int]]()
    for number, prompt in enumerate(prompts, start=1):
        batch.append(prompt)
        if number == len(prompts) or sum(map(len, batch)) + len(prompts[number]) > TOKENS:
            found.append(_read(network, batch))
            batch = []
    return torch.cat(found)


def _read(network: Network, prompts: Sequence[Sequence[int]]) -> Tensor:
    lengths = [len(p) for p in prompts]
    last = torch.tensor(lengths, device=network.device).cumsum(0) - 1
    layers: list[Tensor] = []

    def keep(_: int, x: Tensor) -> Tensor:
        layers.append(x[last])
        return x

    tokens = torch.tensor([t for p in prompts for t in p], device=network.device)
    network.states(tokens, Packed(lengths, network.device), keep)
    return torch.stack(layers, 1)

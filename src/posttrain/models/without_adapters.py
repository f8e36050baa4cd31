"""The reference of a model with adapters: the model itself with its adapters switched off, not a second copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posttrain.models.adapters import without_adapters
from posttrain.models.attention import Layout
from posttrain.models.llama import Edit
from posttrain.models.network import Network
from posttrain.models.padded import Padded


class WithoutAdapters(nn.Module):
    """Computes and samples like the base model of a network with adapters. It owns no parameters."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = [network]  # in a list, so that torch does not register its parameters here

    @property
    def network(self) -> Network:
        return self._network[0]

    @property
    def flat(self) -> bool:
        return self.network.flat

    @property
    def vocab_size(self) -> int:
        return self.network.vocab_size

    @property
    def context(self) -> int:
        return self.network.context

    @property
    def device(self) -> torch.device:
        return self.network.device

    def outputs(self, *args: Any, **settings: Any) -> dict[str, Tensor]:
        with without_adapters(self.network):
            return self.network.outputs(*args, **settings)

    def states(self, tokens: Tensor, layout: Layout, edit: Edit | None = None) -> Tensor:
        with without_adapters(self.network):
            return self.network.states(tokens, layout, edit)

    def generate(self, *args: Any) -> None:
        with without_adapters(self.network):
            cast(Padded, self.network).generate(*args)

    def logits(self, states: Tensor, multiply: Callable[..., Tensor] = F.linear) -> Tensor:
        with without_adapters(self.network):
            return self.network.logits(states, multiply)

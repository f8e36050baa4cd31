"""The reference of a model with adapters is the model itself with its adapters switched off: no second copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posttrain.models.attention import Layout
from posttrain.models.network import Network
from posttrain.models.padded import Padded


class WithoutAdapters(nn.Module):
    """Measures and samples like the network that LoRA adapters were added to. Owns no parameters."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = [network]  # in a list, so that torch does not count its parameters as ours

    @property
    def network(self) -> Network:
        return self._network[0]

    @property
    def flat(self) -> bool:
        return self.network.flat

    @property
    def vocabulary(self) -> int:
        return self.network.vocabulary

    @property
    def context(self) -> int:
        return self.network.context

    @property
    def device(self) -> torch.device:
        return self.network.device

    def outputs(self, *args: Any, **settings: Any) -> dict[str, Tensor]:
        with self.network.without_adapters():
            return self.network.outputs(*args, **settings)

    def states(self, tokens: Tensor, layout: Layout) -> Tensor:
        with self.network.without_adapters():
            return self.network.states(tokens, layout)

    def generate(self, *args: Any) -> None:
        with self.network.without_adapters():
            cast(Padded, self.network).generate(*args)

    def logits(self, states: Tensor, multiply: Callable[..., Tensor] = F.linear) -> Tensor:
        return self.network.logits(states, multiply)  # adapters never sit on the last layer

"""How much the last layer of a model takes away from what it reads."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from posttrain.errors import ModelError


class LastMLP:
    """Sees what the MLP of the last layer reads and writes while the trunk runs, as a context. [S, D] -> [S].

    Raises ModelError for a model whose last layer has no MLP of this kind.
    """

    def __init__(self, trunk: Any) -> None:
        count = trunk.config.get_text_config().num_hidden_layers
        blocks = [m for m in trunk.base_model.modules() if isinstance(m, nn.ModuleList) and len(m) == count]
        mlp = getattr(blocks[0][-1], "mlp", None) if blocks else None
        products = [m for m in mlp.children() if next(m.parameters(), None) is not None] if mlp is not None else []
        if len(products) < 2:
            raise ModelError(f"{type(trunk).__name__} gives no energy_loss: its last layer has no MLP of two products")
        self._first, self._last = products[0], products[-1]
        self._read = self._written = torch.zeros(0)

    def __enter__(self) -> LastMLP:
        self._handles = [
            self._first.register_forward_pre_hook(self._reads),
            self._last.register_forward_hook(self._writes),
        ]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for handle in self._handles:
            handle.remove()

    def _reads(self, _module: Any, inputs: tuple[Tensor, ...]) -> None:
        self._read = inputs[0].detach().float().abs().mean(-1).flatten()

    def _writes(self, _module: Any, _inputs: Any, output: Tensor) -> None:
        self._written = output.detach().float().abs().mean(-1).flatten()

    def loss(self) -> Tensor:
        """Mean of |h| over the width, before the MLP less after it, at each token that was read: [S], no gradient."""
        return self._read - self._written

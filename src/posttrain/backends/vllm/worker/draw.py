"""A logits processor of vLLM that draws the tokens itself (`rows.py`); vLLM takes the only one that it leaves."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from vllm.v1.sample.logits_processor.interface import LogitsProcessor, MoveDirectionality

from posttrain.backends.vllm.worker.rows import Rows


class Draw(LogitsProcessor):  # type: ignore[misc]
    """Draws for every row by the settings in its `extra_args`."""

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:  # noqa: ARG002
        self.rows = Rows()

    def is_argmax_invariant(self) -> bool:
        """No: what it leaves is the most probable token."""
        return False

    def update_state(self, batch_update: Any) -> None:
        """Follow the answers through the batch."""
        if batch_update is not None:
            self.rows.update(
                batch_update.removed,
                ((index, params.extra_args, output) for index, params, _, output in batch_update.added),
                ((one, other, way == MoveDirectionality.SWAP) for one, other, way in batch_update.moved),
            )

    def apply(self, logits: Tensor) -> Tensor:
        """Draw a token for every row of logits [S, V]."""
        return self.rows.draw(logits)

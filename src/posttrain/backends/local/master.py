"""The float32 value behind a parameter of lower precision: what small steps add up in.

A bfloat16 number is the upper half of a float32, so the lower half beside it is enough: 2 bytes instead of 4, and no
bit is lost.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

HALF = 2**15  # half a unit in the last place of bfloat16, in the bits of float32


class Master:
    """The value that training moves, as a flat tensor of which parts are read and written.

    A parameter of 32 or 64 bits is its own. bfloat16 keeps the lower half in `rest`, float16 a whole float32.
    """

    def __init__(self, parameter: nn.Parameter) -> None:
        self.parameter = parameter
        if not parameter.is_contiguous():
            parameter.data = parameter.data.contiguous()
        self.dtype = torch.promote_types(parameter.dtype, torch.float32)
        self.rest: Tensor | None = None
        if parameter.dtype == torch.bfloat16:
            self.rest = torch.zeros(parameter.numel(), dtype=torch.int16, device=parameter.device)
        elif parameter.dtype != self.dtype:
            self.rest = self._flat.to(self.dtype)

    def __len__(self) -> int:
        return self.parameter.numel()

    @property
    def _flat(self) -> Tensor:
        return self.parameter.detach().view(-1)

    def zeros(self) -> Tensor:
        """As many, in the same type and place."""
        return torch.zeros(len(self), dtype=self.dtype, device=self.parameter.device)

    def read(self, part: slice = slice(None)) -> Tensor:
        """The value, in `dtype`, to be changed in place and written."""
        if self.rest is None:
            return self._flat[part]
        if self.rest.dtype == self.dtype:
            return self.rest[part]
        return joined(self._flat[part], self.rest[part])

    def write(self, value: Tensor, part: slice = slice(None)) -> None:
        """What was read, changed. A parameter of lower precision shows it rounded."""
        if self.rest is None:
            return
        if self.rest.dtype == self.dtype:
            self._flat[part].copy_(value)
        else:
            split(value, self._flat[part], self.rest[part])

    def restore(self, rest: Tensor) -> None:
        """Go on with the `rest` that belongs to the parameter as it is."""
        assert self.rest is not None
        self.rest.copy_(rest)


def joined(upper: Tensor, lower: Tensor) -> Tensor:
    """float32 of bfloat16 numbers and what they lack, int16: how far their bits are away."""
    bits = upper.view(torch.int16).to(torch.int32).bitwise_left_shift_(16)
    return bits.add_(lower).view(torch.float32)


def split(value: Tensor, upper: Tensor, lower: Tensor) -> None:
    """`upper` becomes the nearest bfloat16 number, of two the one away from 0, so that `lower` is within an int16."""
    bits = value.view(torch.int32) + HALF
    upper.view(torch.int16).copy_(bits >> 16)
    lower.copy_(bits.bitwise_and_(2**16 - 1).sub_(HALF))

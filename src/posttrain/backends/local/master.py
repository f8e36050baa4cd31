"""The float32 value of a low-precision parameter, in which small steps add up.

A bfloat16 number is the upper half of a float32, so only the lower half is stored beside it: 2 bytes instead of 4, and
no bit is lost.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

HALF = 2**15  # half a unit in the last place of bfloat16, as an integer of float32 bits


class Master:
    """The value of a parameter in at least float32, as a flat tensor that is read and written in parts.

    `low_bits` holds what the parameter's own type cannot: the lower half for bfloat16, the whole float32 value for
    float16, and nothing (None) for wider types, which are their own masters.
    """

    def __init__(self, parameter: nn.Parameter) -> None:
        self.parameter = parameter
        if not parameter.is_contiguous():
            parameter.data = parameter.data.contiguous()
        self.dtype = torch.promote_types(parameter.dtype, torch.float32)
        self.low_bits: Tensor | None = None
        if parameter.dtype == torch.bfloat16:
            self.low_bits = torch.zeros(parameter.numel(), dtype=torch.int16, device=parameter.device)
        elif parameter.dtype != self.dtype:
            self.low_bits = self._flat.to(self.dtype)

    def __len__(self) -> int:
        return self.parameter.numel()

    @property
    def _flat(self) -> Tensor:
        return self.parameter.detach().view(-1)

    def zeros(self) -> Tensor:
        """Return a zero tensor of the same length, dtype and device."""
        return torch.zeros(len(self), dtype=self.dtype, device=self.parameter.device)

    def read(self, part: slice = slice(None)) -> Tensor:
        """Return the value in `dtype`. The caller may change it in place, and must then `write` it."""
        if self.low_bits is None:
            return self._flat[part]
        if self.low_bits.dtype == self.dtype:
            return self.low_bits[part]
        return joined(self._flat[part], self.low_bits[part])

    def write(self, value: Tensor, part: slice = slice(None)) -> None:
        """Store a tensor that `read` returned, after it was changed. A low-precision parameter gets it rounded."""
        if self.low_bits is None:
            return
        if self.low_bits.dtype == self.dtype:
            self._flat[part].copy_(value)
        else:
            split(value, self._flat[part], self.low_bits[part])

    def restore(self, low_bits: Tensor) -> None:
        """Restore the low bits that belong to the parameter's current value."""
        assert self.low_bits is not None
        self.low_bits.copy_(low_bits)


def joined(upper: Tensor, lower: Tensor) -> Tensor:
    """Combine bfloat16 numbers and signed 16-bit differences into float32: the inverse of `split`."""
    bits = upper.view(torch.int16).to(torch.int32).bitwise_left_shift_(16)
    return bits.add_(lower).view(torch.float32)


def split(value: Tensor, upper: Tensor, lower: Tensor) -> None:
    """Write float32 `value` as the nearest bfloat16 numbers, `upper`, and the int16 differences of the bits, `lower`.

    Ties are rounded away from 0, so that the difference fits into an int16.
    """
    bits = value.view(torch.int32) + HALF
    upper.view(torch.int16).copy_(bits >> 16)
    lower.copy_(bits.bitwise_and_(2**16 - 1).sub_(HALF))

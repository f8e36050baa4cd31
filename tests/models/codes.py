"""The arithmetic of nf4 in plain torch, for machines without bitsandbytes."""

from __future__ import annotations

import torch

from posttrain.models.nf4 import BLOCK

# The quantiles of the normal distribution that QLoRA (Dettmers et al., 2023, appendix E) lists.
CODE = torch.tensor(
    [-1.0, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0.0]
    + [0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0]
)


def pack(weight):
    blocks = weight.float().reshape(-1, BLOCK)
    scales = blocks.abs().amax(1)
    codes = (blocks[..., None] / scales[:, None, None] - CODE).abs().argmin(-1).reshape(-1, 2)
    return (codes[:, :1] * 16 + codes[:, 1:]).to(torch.uint8), scales


def unpack(packed, scales, shape, dtype):
    codes = torch.cat([packed // 16, packed % 16], 1).long()
    return (CODE[codes].reshape(-1, BLOCK) * scales[:, None]).reshape(shape).to(dtype)

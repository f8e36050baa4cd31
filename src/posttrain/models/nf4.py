"""Matrices in 4 bits: the NormalFloat of QLoRA (Dettmers et al., 2023), in blocks of 64, through bitsandbytes."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from posttrain.errors import MissingExtraError, ModelError

BLOCK = 64  # numbers that share a scale
KIND = "nf4"
FAILURES = (ImportError, OSError, RuntimeError, NotImplementedError, AttributeError, ValueError)  # of a build elsewhere


def load_kernels(device: str | torch.device) -> None:
    """Import bitsandbytes. Raises MissingExtraError without it, ModelError where it cannot run on the device."""
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtraError(f"model.quantize: {KIND}", "qlora")
    log = logging.getLogger("bitsandbytes")
    level = log.level
    log.setLevel(logging.ERROR)  # it advises on products that are not used here
    try:
        import bitsandbytes  # noqa: F401 -- adds its operators to torch.ops

        trial = torch.ones(1, BLOCK, device=device)
        unpack(*pack(trial), trial.shape, trial.dtype)
    except FAILURES as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(
            f"model.quantize: {KIND}: bitsandbytes cannot run on {device}: {reason}; install a bitsandbytes for this "
            "device, choose another with device, or remove model.quantize"
        ) from error
    finally:
        log.setLevel(level)


def pack(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Round a matrix to codes, two a byte, and the scale of each block, in float32."""
    packed, scales = torch.ops.bitsandbytes.quantize_4bit(weight.contiguous(), BLOCK, KIND, torch.uint8)
    return packed, scales


def unpack(packed: Tensor, scales: Tensor, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Return the matrix that codes and scales stand for."""
    weight: Tensor = torch.ops.bitsandbytes.dequantize_4bit(packed, scales, BLOCK, KIND, list(shape), dtype)
    return weight

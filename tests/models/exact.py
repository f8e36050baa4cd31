"""How far a compiled function may be from its formula, and that threads change nothing."""

import pytest
import torch

both = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])


def close(found, exact, dtype, roundings=1):
    """So many roundings of bfloat16, or as float32 adds up."""
    error, size = (found.double() - exact).abs(), exact.abs()
    allowed = 5e-6 * size.max() if dtype == torch.float32 else roundings * 2**-8 * size.clamp(min=size.max() / 16)
    assert (error <= allowed).all(), (error / allowed).max()


def on_threads(function):
    """What it returns on one, two and three threads."""
    threads, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(function())
    finally:
        torch.set_num_threads(threads)
    return found

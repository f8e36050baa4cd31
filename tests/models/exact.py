"""How far a compiled function may be from its formula, and what it returns on several threads."""

import pytest
import torch

both = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])


def close(actual, exact, dtype, roundings=1):
    """Assert a distance of at most this number of roundings in bfloat16, or of accumulated float32 error."""
    error, size = (actual.double() - exact).abs(), exact.abs()
    allowed = 5e-6 * size.max() if dtype == torch.float32 else roundings * 2**-8 * size.clamp(min=size.max() / 16)
    assert (error <= allowed).all(), (error / allowed).max()


def on_threads(function):
    """The results of a function on one, two and three threads."""
    threads, results = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            results.append(function())
    finally:
        torch.set_num_threads(threads)
    return results

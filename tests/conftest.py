"""Settings of torch that a test may ask for; each is put back when the test is over."""

import pytest


@pytest.fixture
def float64():
    """Float64 by default and one thread: sums that do not depend on the machine."""
    import torch

    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(dtype)
    torch.set_num_threads(threads)

import pytest
import torch

from posttrain.models.kernels import decode_step, fused


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small tensors: more threads would only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture
def draw():
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.fixture
def as_torch(monkeypatch):
    """Run a function with torch operators instead of compiled code."""

    def run(function, *arguments):
        with monkeypatch.context() as patch:
            for module in (fused, decode_step):
                patch.setattr(module, "supports", lambda *_: False)
            return function(*arguments)

    return run

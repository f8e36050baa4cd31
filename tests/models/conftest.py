import pytest
import torch

from posttrain.models.kernels import decode_step as step
from posttrain.models.kernels import fused


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small tensors: more threads only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture
def draw():
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, dtype=torch.float64, generator=generator)


@pytest.fixture
def as_torch(monkeypatch):
    """Runs a function as torch operators."""

    def run(function, *arguments):
        with monkeypatch.context() as patch:
            for module in (fused, step):
                patch.setattr(module, "runs", lambda *_: False)
            return function(*arguments)

    return run

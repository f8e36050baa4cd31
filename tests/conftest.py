"""What all tests share: settings of torch that a test may ask for, a folder in memory, one process for templates.

Generated examples are the same on every machine, however slow it is.
"""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def one_process_for_templates():
    """Render the templates of all runs in one process, which takes half a second to start."""
    from posttrain.data.chat import template

    shared = template.Renderer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(template, "Renderer", lambda: SharedRenderer(shared))
        yield
    shared.close()


class SharedRenderer:
    def __init__(self, renderer):
        self.render = renderer.render

    def close(self):
        pass


@pytest.fixture(scope="module")
def memory():
    """A folder without a disk, where there is one: tests of kills are no tests of power cuts, and need not wait."""
    shared = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        yield Path(folder)


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

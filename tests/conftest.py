"""What all tests share: settings of torch that a test may ask for, folders in memory, processes that serve them all.

Generated examples are the same on every machine, however slow it is.
"""

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

from tests.harness.workers import end_shared_workers, shared_workers

settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

MEMORY = "/dev/shm"
ENOUGH = 2 << 30  # bytes; a whole run of the tests has written less at any time


@pytest.hookimpl(tryfirst=True)
def pytest_configure():
    """Let tests write to memory where there is some: tests of kills are no tests of power cuts, and need not wait."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


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


@pytest.fixture(autouse=True)
def workers_for_all(request):
    """Let runs share the processes of rewards, but for tests of these processes and of what they were started with."""
    if {"rewards", "judges"} & set(request.node.path.parts):
        yield
    else:
        with shared_workers():
            yield


@pytest.fixture(scope="session", autouse=True)
def no_worker_left():
    """End the shared processes after the last test."""
    yield
    end_shared_workers()


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    """A folder for the tests of one file."""
    return tmp_path_factory.mktemp("memory")


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

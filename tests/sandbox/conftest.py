"""Every sandbox that this machine has, and what is said about one that it has not."""

import os

import pytest

from posttrain.sandbox.availability import TIERS, why_unavailable
from posttrain.sandbox.tier import ENVIRONMENT
from tests.sandbox.watching import children, descriptors, sandboxed


@pytest.fixture(params=TIERS, ids=lambda tier: tier.name)
def tier(request):
    if reason := why_unavailable(request.param):
        pytest.skip(f"no {request.param.name} here: {reason}")
    return request.param


@pytest.fixture
def marked(monkeypatch):
    """What tells our sandboxes from those of tests that run at the same time."""
    monkeypatch.setitem(ENVIRONMENT, "CANARY", f"{os.getpid()}")
    return f"CANARY={os.getpid()}"


@pytest.fixture
def nothing_left(marked):
    """A test leaves no process, descriptor or sandbox behind."""
    before = children(), descriptors()
    yield
    assert (children(), descriptors()) == before
    assert sandboxed(marked) == []

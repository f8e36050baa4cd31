"""Fixtures: every sandbox of this machine (others are skipped with the reason), and checks that nothing is left."""

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
    """Mark our sandboxes, to distinguish them from those of tests that run at the same time."""
    monkeypatch.setitem(ENVIRONMENT, "CANARY", f"{os.getpid()}")
    return f"CANARY={os.getpid()}"


@pytest.fixture
def nothing_left(marked):
    """Check that the test leaves no process, descriptor or sandbox behind."""
    before = children(), descriptors()
    yield
    assert (children(), descriptors()) == before
    assert sandboxed(marked) == []

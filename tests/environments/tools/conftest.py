"""Ends the process that renders chat templates, once for all tests."""

import pytest

from tests.border.encoders import RENDERER


@pytest.fixture(scope="session", autouse=True)
def _end_the_process():
    yield
    RENDERER.close()

"""Runs of procedures share their worker processes."""

import pytest

from tests.harness.workers import end_shared_workers, shared_workers


@pytest.fixture(autouse=True)
def workers_for_all():
    with shared_workers():
        yield


@pytest.fixture(scope="session", autouse=True)
def no_worker_left():
    yield
    end_shared_workers()

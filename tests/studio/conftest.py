"""Databases of tests do not wait for the disk."""

import pytest


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr("posttrain.studio.database.DURABLE", "OFF")

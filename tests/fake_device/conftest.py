import pytest
import torch

from posttrain.launch import models
from posttrain.sampling import decoding


@pytest.fixture(scope="session")
def device():
    from tests.fake_device.device import elsewhere

    torch.set_num_threads(1)
    return elsewhere()


@pytest.fixture
def used(device, monkeypatch):
    """Runs take place on the device while this is called with True, and on the processor otherwise."""

    def use(there: bool) -> None:
        from tests.fake_device.device import record

        monkeypatch.setattr(models, "device_of", lambda name: device if there else "cpu")
        monkeypatch.setattr(decoding, "capture_on", lambda place: record if place == device else None)

    return use

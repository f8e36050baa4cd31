import pytest


@pytest.fixture(autouse=True)
def exact(float64):
    """Golden numbers and identities are compared to ten digits."""

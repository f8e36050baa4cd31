"""Every setting of a bundled reward has a type and one line that says what it does and which values are sane."""

from __future__ import annotations

import pytest

from posttrain.rewards.lookup import bundled, load, locate
from tests.harness.settings import problems


@pytest.mark.parametrize("name", bundled())
def test_every_setting_has_its_line(name: str) -> None:
    assert not problems(load(locate(name)))

"""Every setting of a suite has a type and one line that says what it does and which values are sane."""

from __future__ import annotations

import pytest

from posttrain.catalogue.index import SUITES
from tests.harness.settings import problems


@pytest.mark.parametrize("name", SUITES.names)
def test_every_setting_has_its_line(name: str) -> None:
    assert not problems(SUITES.function(name, None))

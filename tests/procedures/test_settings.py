"""Every setting of a procedure has a type and one line that says what it does and which values are sane."""

from __future__ import annotations

import pytest

from posttrain.catalogue import index as catalogue
from tests.harness.settings import problems


@pytest.mark.parametrize("name", catalogue.procedures())
def test_every_setting_has_its_line(name: str) -> None:
    assert not problems(catalogue.load_procedure(name))

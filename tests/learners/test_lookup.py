"""Worlds are found by name or in a file of the user's."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.learners.lookup import _class, world, worlds
from posttrain.learners.worlds.key_door import KeyDoor
from tests.harness.settings import problems

FILE = """
from posttrain.learners.worlds.chain import Chain


class Long(Chain):
    def __init__(self, *, length: int = 20) -> None:
        super().__init__(length=length)
"""


def test_a_name_is_a_class_with_settings():
    made = world("key_door", {"size": 3})
    assert isinstance(made, KeyDoor)
    assert made.size == 3


def test_what_is_wrong_is_named():
    with pytest.raises(ConfigError, match="no world 'key_dor'.*key_door.*mine.py"):
        world("key_dor")
    with pytest.raises(ConfigError, match=r"world chain.lenght: unknown setting.*length"):
        world("chain", {"lenght": 3})
    with pytest.raises(ConfigError, match=r"world chain.length: 'x'"):
        world("chain", {"length": "x"})


def test_a_file_of_ones_own(tmp_path):
    (tmp_path / "long.py").write_text(FILE)
    assert world("./long.py", base=tmp_path).length == 20
    assert world("./long.py:Long", {"length": 5}, tmp_path).length == 5
    with pytest.raises(ConfigError, match="defines Long; write ./long.py:NAME"):
        world("./long.py:Short", base=tmp_path)


@pytest.mark.parametrize("name", worlds())
def test_every_setting_has_its_line(name):
    made = _class(name, None)
    made.__init__.__doc__ = made.__doc__
    assert not problems(made.__init__)

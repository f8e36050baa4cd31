"""`posttrain env`: the list, an environment with its tools, and its trial, in processes as in a run."""

from __future__ import annotations

import json

import pytest

from posttrain.cli import main

FILE = '''
"""A till."""
from posttrain.environments.tools.environment import ToolEnvironment


class Till(ToolEnvironment):
    """A till.

    Settings:
        currency: its name.
    """

    def __init__(self, *, currency: str = "EUR") -> None:
        self.total = 0.0

    @classmethod
    def tasks(cls, count, seed):
        return [{"prompt": f"Add up {i} and {seed}."} for i in range(count)]

    def tools(self):
        return [self.add]

    def add(self, price: float) -> float:
        """Add a price."""
        self.total += price
        return self.total

    def score(self, action):
        return BONUS
'''


def called(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main.main(["env", *arguments])
    return int(stop.value.code or 0)


def test_the_list(capsys):
    assert called("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("arithmetic_tool   Arithmetic with a calculator: ") for line in lines)
    assert called("list", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == len(lines)


def test_a_users_environment_is_shown_and_tried(tmp_path, capsys):
    file = tmp_path / "till.py"
    file.write_text(FILE.replace("BONUS", "1.0"))
    assert called("show", str(file), "--model", "tiny", "currency=USD") == 0
    said = capsys.readouterr().out
    assert "A till." in said
    assert "currency ('EUR'): its name." in said
    assert '"name": "add"' in said
    read = said.rpartition("what tiny reads:")[2]
    assert "Add up 0 and 0." in read
    assert '"name": "add"' in read  # also where the chat template does not know tools
    file.write_text(FILE.replace("BONUS", "1.0 / len(action.text.strip())"))
    assert called("test", str(file), "--json") == 1
    found = {check["name"]: check for check in json.loads(capsys.readouterr().out)}
    assert [name for name, check in found.items() if not check["holds"]] == ["withstands"]
    assert "ZeroDivisionError" in found["withstands"]["found"]
    assert called("test", str(file), "currency") == 2
    assert called("test", str(file), "colour=red") == 2
    assert "unknown setting" in capsys.readouterr().err

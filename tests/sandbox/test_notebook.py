"""Cells in each sandbox of this machine: their state, their errors and their limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from posttrain.errors import SandboxError
from posttrain.sandbox.availability import TIERS, why_unavailable
from posttrain.sandbox.limits import MIB, Limits
from posttrain.sandbox.notebook import Notebook
from posttrain.sandbox.plain import Plain
from posttrain.sandbox.tier import Tier

LIMITS = Limits(seconds=20.0, memory=512 * MIB)


@pytest.mark.parametrize("tier", TIERS, ids=lambda tier: tier.name)
def test_cells_see_what_earlier_ones_defined(tier: Tier) -> None:
    if reason := why_unavailable(tier):
        pytest.skip(reason)
    notebook = Notebook(tier, LIMITS)
    assert notebook.run("x = 3\nprint('once')") == "once\n"
    shown = notebook.run("print(x * 2)\nopen('/etc/passwd').read()")
    assert shown.startswith("6\n")
    assert "Error" in shown
    assert "root:" not in shown


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("1 + 1", "2\n"),
        ("a = 1\n\nb", "NameError: name 'b' is not defined (line 3)\n"),
        ("a =", "SyntaxError: invalid syntax (cell, line 1)\n"),
        ("print('so far')\nraise ValueError('no')", "so far\nValueError: no (line 2)\n"),
        ("def f():\n    return 1 / 0\nf()", "ZeroDivisionError: division by zero (line 2)\n"),
        ("import sys; sys.exit(0)", "SystemExit\n"),
        ("print('ü')\nNone", "ü\n"),
    ],
)
def test_what_a_cell_shows(cell: str, shown: str) -> None:
    assert Notebook(Plain(), LIMITS).run(cell) == shown


def test_chance_is_the_same_again() -> None:
    draw = "import random\nn = random.random()\nn"
    one, two = Notebook(Plain(), LIMITS), Notebook(Plain(), LIMITS)
    assert one.run(draw) == two.run(draw)
    assert one.run("n") == two.run("n")


def test_a_cell_that_breaks_a_limit_is_forgotten() -> None:
    notebook = Notebook(Plain(), Limits(seconds=20.0, output=1000))
    assert notebook.run("x = 1") == ""
    assert notebook.run("x = 2\nprint('a' * 2000)") == "resource: wrote more than 1000 bytes"
    notebook.limits = replace(notebook.limits, seconds=0.1)
    assert notebook.run("x = 3\nimport time\ntime.sleep(60)") == "timeout: ran for more than 0.2 s"
    notebook.limits = replace(notebook.limits, seconds=20.0)
    assert notebook.run("x") == "1\n"
    assert notebook.cells == ["x = 1", "x"]


class Broken(Plain):
    """A sandbox that cannot be started."""

    def command(self, limits: Limits) -> list[str]:
        return ["/nowhere/python"]


def test_a_sandbox_that_fails_is_an_error() -> None:
    with pytest.raises(SandboxError, match="cannot be started"):
        Notebook(Broken(), LIMITS).run("1")

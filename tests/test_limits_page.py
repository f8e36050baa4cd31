"""docs/limits.md: every limit names a test that exists, a command, and is held against what the page promises."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.index import SUITES, TASKS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "| `tests/" in line]
CHECKLIST = re.findall(r"^- \[ \] \*\*(\w[\w ]*)\.\*\* ", PAGE, re.M)


@pytest.mark.paper("000:[9]")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_limit_is_probed_by_a_test_that_exists(row):
    limit, does, command, test = row
    assert limit
    assert does
    assert re.fullmatch(r"`posttrain (compare|data|eval|explain|train) .+`", command)
    file, name = re.fullmatch(r"`(tests/[\w/]+\.py)::(\w+)`", test).groups()
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_what_the_commands_name_exists():
    for word in re.findall(r"`posttrain (?:compare|explain) ([^`]+)`", PAGE):
        methods, _, task = word.partition(" --task ")
        assert [catalogue.entry(name) for name in methods.split()]
        assert not task or task in TASKS.names
    suites = {name.rpartition("/")[2] for name in SUITES.names}
    assert set(re.findall(r"--suite\s+(\w+)", PAGE)) <= suites


@pytest.mark.paper("000:[9]")
def test_the_limits_that_the_critiques_name_are_there():
    said = " ".join(row[0].lower() for row in ROWS)
    for limit in (
        "proxy",
        "wanted",
        "further",
        "disagree",
        "majority",
        "length",
        "meant",
        "alike",
        "forgotten",
        "judged",
    ):
        assert limit in said, limit
    assert len({row[3] for row in ROWS}) == len(ROWS), "each limit has a test of its own"


@pytest.mark.paper("lambert2023xiw")
def test_what_learning_from_preferences_assumes_is_listed():
    told = PAGE[PAGE.index("## How a preference") : PAGE.index("## What is measured")]
    for word in ("Utility theory", "Bradley and Terry", "transitive", "add up to one reward", "Lambert"):
        assert word in told, word
    assert len(re.findall(r"^- that ", told, re.M)) == 4


@pytest.mark.paper("lindstrm20253o2")
def test_the_checklist_of_a_safety_case_asks_for_more_than_numbers():
    assert {"Use", "Harm", "People", "Values", "Disagreement", "Proxy", "Attack", "Trade", "Gates"} < set(CHECKLIST)
    assert CHECKLIST[-1] == "After release"

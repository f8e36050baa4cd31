"""Documents that say what the code says: the methods page is generated, links and commands resolve."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "benchmarks" / "README.md",
]


@pytest.fixture
def docs(monkeypatch) -> Callable[[str], ModuleType]:
    """The modules that write the generated pages, as `python docs/build.py` sees them."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    monkeypatch.delitem(sys.modules, "faults", raising=False)
    monkeypatch.delitem(sys.modules, "papers", raising=False)
    monkeypatch.delitem(sys.modules, "build", raising=False)
    return importlib.import_module


@pytest.mark.parametrize(
    ("module", "page"), [("build", "methods.md"), ("faults", "faults.md"), ("papers", "papers.md")]
)
def test_the_generated_pages_are_up_to_date(docs, module: str, page: str) -> None:
    made = docs(module).page()
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == made, "run python docs/build.py"


def test_every_mark_names_a_fault_and_every_fault_has_a_test_or_a_reason(docs) -> None:
    faults = docs("faults")
    known, marked = faults.faults(), faults.tests()
    assert not set(marked) - set(known)
    assert {letter: sum(n[0] == letter for n in known) for letter in "PCNDTRJWESUF"} == dict(
        zip("PCNDTRJWESUF", (10, 12, 9, 16, 12, 11, 11, 11, 6, 17, 12, 8), strict=True)
    )
    assert not [n for n, entry in known.items() if (n in marked) == ("untested" in entry)]


def test_marks_are_found_where_pytest_finds_them(docs) -> None:
    text = """
@pytest.mark.fault("A1", "A2")
@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.fault("A3"))])
def test_a(x): ...

class TestB:
    @pytest.mark.fault("B1")
    def test_b(self): ...
"""
    found = set(docs("faults").marks(ast.parse(text)))
    assert found == {("test_a", "A1"), ("test_a", "A2"), ("test_a", "A3"), ("TestB::test_b", "B1")}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_resolve(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [x for x in links if not x.startswith("http") and not (page.parent / x).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_of_the_documents_exist(page: Path) -> None:
    from typer.main import get_command

    from posttrain.cli.main import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    used = set(re.findall(r"(?:^|`)posttrain ([a-z]+)\b", page.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert used <= known

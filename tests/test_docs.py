"""Documents that match the code: generated pages are up to date, links and commands resolve."""

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
OF_THE_READER = {"mine.py", "test_mine.py", "file.py", "run.yaml", "config.yaml"}  # files that a page makes up


@pytest.fixture
def docs(monkeypatch) -> Callable[[str], ModuleType]:
    """The modules that write the generated pages, as `python docs/build.py` sees them."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    for module in ("build", "faults", "key_tables", "papers", "room_table", "run_file"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return importlib.import_module


FROM = ("from_trl.md", "from_verl.md", "from_openrlhf.md")
GENERATED = ("methods.md", "faults.md", "papers.md", "run_file.md", "design.md", *FROM)


@pytest.mark.parametrize("page", GENERATED)
def test_the_generated_pages_are_up_to_date(docs, page: str) -> None:
    written = docs("build").pages()[page]
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == written, "run python docs/build.py"


def test_the_table_of_rooms_needs_its_markers(docs) -> None:
    rooms = docs("room_table")
    page = f"before\n{rooms.BEGIN}\nold\n{rooms.END}\nafter\n"
    assert rooms.written(page) == page.replace("old", rooms.table())
    assert rooms.written(rooms.written(page)) == rooms.written(page)
    with pytest.raises(ValueError, match="lacks the markers"):
        rooms.written("no markers")


def test_a_table_of_keys_needs_its_markers(docs) -> None:
    tables = docs("key_tables")
    page = f"before\n{tables.BEGIN.format('x')}\nold\n{tables.END.format('x')}\nafter\n"
    assert tables.written(page, {"x": "new"}) == page.replace("old", "new")
    with pytest.raises(ValueError, match="lacks the markers"):
        tables.written("no markers", {"x": "new"})


def test_every_mark_names_a_fault_and_every_fault_has_a_test_or_a_reason(docs) -> None:
    faults = docs("faults")
    known, marked = faults.faults(), faults.tests()
    assert not set(marked) - set(known)
    letters = "PCNDTRJWESUFBMVK"
    counts = (10, 13, 9, 16, 12, 11, 11, 11, 6, 17, 12, 8, 14, 8, 8, 5)
    assert {letter: sum(n[0] == letter for n in known) for letter in letters} == dict(zip(letters, counts, strict=True))
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


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda p: p.name)
def test_comments_of_recipes_hold_no_results(recipe: Path) -> None:
    """Nobody measures them again. A run prints its own; those of the README come with a script."""
    comments = re.findall(r"#.*", recipe.read_text(encoding="utf-8"))
    assert [c for c in comments if re.search(r"\d ?%|[Mm]easured|\b\d+ (?:s|min|minutes)\b", c)] == []


NUMBER = r"\d[\d,]*(?:\.\d+)?"


def side_by_side() -> list[list[list[str]]]:
    """The README's comparison: of each row the numbers of posttrain, of TRL, and the ratios."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("Side by side with TRL") :].split("|---|---|---|---|\n")[1].split("\n\n")[0]
    return [[re.findall(NUMBER, cell) for cell in row.strip("|").split("|")[1:]] for row in table.splitlines()]


def rounded(text: str) -> tuple[float, float]:
    """The smallest and the largest number that are written so."""
    value, half = float(text.replace(",", "")), 0.5 * 10.0 ** -len(text.partition(".")[2])
    return value - half, value + half


def test_the_readme_compares_by_numbers_that_the_benchmarks_have() -> None:
    measured = set(re.findall(NUMBER, (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")))
    rows = side_by_side()
    assert len(rows) >= 8
    for ours, theirs, ratios in rows:
        assert {*ours, *theirs} <= measured
        for pair, ratio in zip(zip(ours, theirs, strict=True), ratios, strict=True):
            (a, b), (c, d), (least, most) = (rounded(x) for x in (*pair, ratio))
            quotients = (c / b, d / a), (a / d, b / c)  # of seconds or bytes, or of tokens a second
            assert any(low <= most and least <= high for low, high in quotients), (*pair, ratio)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    """`models/llama.py` is a path in the repository or the package; `native.py` alone is the name of any file."""
    named = set(re.findall(r"`([\w./]+\.(?:py|cpp|hpp|yaml|toml))(?::[\w.]+)?`", page.read_text(encoding="utf-8")))
    folders = (ROOT, ROOT / "src" / "posttrain", ROOT / "docs", ROOT / "benchmarks")
    names = {f.name for folder in ("src", "tests", "recipes", "examples") for f in (ROOT / folder).rglob("*.*")}
    missing = {n for n in named if not any((f / n).exists() for f in folders) and not ("/" not in n and n in names)}
    assert {n for n in missing if n.rpartition("/")[2] not in OF_THE_READER} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_of_the_documents_exist(page: Path) -> None:
    from typer.main import get_command

    from posttrain.cli.main import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    text = page.read_text(encoding="utf-8")
    used = set(re.findall(r"(?:^|`)posttrain ([a-z]+(?:-[a-z]+)*)\b", text, flags=re.MULTILINE))
    assert used <= known


def test_one_step_names_functions_that_exist_and_few_of_them() -> None:
    text = (ROOT / "docs" / "one_step.md").read_text(encoding="utf-8")
    named = re.findall(r"^\d+\. +`(\S+\.py)`: `(\S+)`", text, re.MULTILINE)
    assert 0 < len(named) <= 12
    assert len(text.splitlines()) <= 60
    for file, name in named:
        tree = ast.parse((ROOT / "src" / "posttrain" / file).read_text(encoding="utf-8"))
        *owner, function = name.split(".")
        scope = next((n for n in tree.body if isinstance(n, ast.ClassDef) and [n.name] == owner), tree)
        assert function in {n.name for n in scope.body if isinstance(n, ast.FunctionDef)}, f"{file}: {name}"

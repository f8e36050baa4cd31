"""Documents that say what the code says: the methods page is generated, links and commands resolve."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "benchmarks" / "README.md",
]


def test_the_methods_page_is_what_the_docstrings_say() -> None:
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "docs" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert (ROOT / "docs" / "methods.md").read_text(encoding="utf-8") == build.page(), "run python docs/build.py"


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

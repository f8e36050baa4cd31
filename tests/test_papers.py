"""The index of papers: what docs/papers.toml names exists, and what it calls implemented has a test that can fail."""

from __future__ import annotations

import ast
import functools
import inspect
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.papers import FILE, STATES, Paper, counts, families, papers
from tests.methods.golden import ROWS

ROOT = Path(__file__).parent.parent
PAPERS = list(papers().values())
WITH_TESTS = [p for p in PAPERS if p.tests]
PARAMETERS = {  # pytest numbers the rows whose names are not unique
    "tests/methods/test_golden.py": {"test_golden": [x for x, n in Counter(map(str, ROWS)).items() if n == 1]},
    "tests/procedures/test_mutations.py": {"test_a_broken_procedure_is_noticed": catalogue.procedures()},
}
SIZES = {"preference": 41, "online": 54, "rewards": 67, "agents": 54, "system": 19, "survey-or-analysis": 43}


@functools.cache
def marked() -> dict[str, set[str]]:
    """The tests that are marked with each paper, by its key."""
    found: dict[str, set[str]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for test, keys in marks(ast.parse(file.read_text(encoding="utf-8"))):
            for key in keys:
                found.setdefault(key, set()).add(f"{file.relative_to(ROOT).as_posix()}::{test}")
    return found


def marks(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Every test of a module with the keys of its own marks, its class's and its module's."""
    assigned = [node.value for node in tree.body if isinstance(node, ast.Assign) and names_marks(node)]
    for test, nodes in cases_of(tree):
        yield test, keys_of([*assigned, *(d for node in nodes for d in node.decorator_list)])


def names_marks(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def cases_of(tree: ast.Module) -> Iterator[tuple[str, list[ast.FunctionDef | ast.ClassDef]]]:
    """Every test by the name that pytest gives it, with the nodes whose decorators mark it."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, [node]
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name.startswith("test_"):
                    yield f"{node.name}::{method.name}", [node, method]


def keys_of(expressions: list[ast.expr]) -> list[str]:
    """The arguments of every pytest.mark.paper(...) in some expressions."""
    calls = [node for e in expressions for node in ast.walk(e) if isinstance(node, ast.Call)]
    papers = [c for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "paper"]
    return [str(ast.literal_eval(argument)) for call in papers for argument in call.args]


@functools.cache
def names_in(file: str) -> set[str]:
    """The tests of a file; those over the golden rows and over the procedures also with their parameter."""
    path = ROOT / file
    if not path.exists():
        return set()
    names = {test for test, _ in cases_of(ast.parse(path.read_text(encoding="utf-8")))}
    return names | {f"{test}[{x}]" for test, parameters in PARAMETERS.get(file, {}).items() for x in parameters}


def settings_of(name: str) -> set[str]:
    """The settings of a method (`part.key`, `term.weight`) or of a procedure that a run file may change."""
    if catalogue.is_procedure(name):
        return set(inspect.signature(catalogue.load_procedure(name)).parameters) - {"session"}
    from posttrain.catalogue.configure import settings

    method = catalogue.load(name)
    read = {written for _, part, key, _ in settings(method) for written in (f"{part}.{key}", key)}
    return read | {f"{term}.weight" for term in method.loss}


def exists(place: str) -> bool:
    """Whether a path, with a setting after a colon or without one, is a method, a procedure or a file."""
    name, _, setting = place.partition(": ")
    if name in catalogue.paths() or name in catalogue.procedures():
        return not setting or setting in settings_of(name)
    return not setting and (catalogue.PACKAGE / f"{name}.py").is_file()


def test_the_file_of_the_package_is_that_of_the_documents():
    assert FILE.resolve() == ROOT / "docs" / "papers.toml"


def test_there_is_one_entry_for_each_record():
    assert {family: sum(n.values()) for family, n in counts(PAPERS).items()} == SIZES
    assert set(families()) == set(SIZES)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda p: p.key)
def test_an_entry_is_complete(paper: Paper):
    assert paper.state in STATES
    assert paper.title
    assert paper.claim.endswith(".")
    assert paper.lacks.endswith(".") or paper.state == "works"
    assert not (paper.lacks and paper.state == "works")
    assert bool(paper.places) == bool(paper.tests) == (paper.state != "missing")
    assert not paper.same_as or not papers()[paper.same_as].same_as


def test_every_path_exists():
    assert not [(p.key, place) for p in PAPERS for place in p.places if not exists(place)]


def test_a_path_that_does_not_exist_is_noticed():
    assert exists("online/ppo: clipped_surrogate.high")
    assert exists("rounds/iterative_dpo: length_penalty")
    assert exists("evaluation/overoptimisation")
    for wrong in ("online/ppoo", "online/ppo: clipped_surrogate.hight", "rounds/raft: rate", "evaluation/nothing"):
        assert not exists(wrong)


def test_every_named_test_exists():
    named = [(p.key, *test.split("::", 1)) for p in WITH_TESTS for test in p.tests]
    assert not [(key, file, test) for key, file, test in named if test not in names_in(file)]


def test_every_mark_names_a_paper_that_lists_one_of_its_tests():
    originals = {p.key for p in WITH_TESTS if not p.same_as}
    assert not set(marked()) - originals, "a mark names a key without tests: use the record that others are the same as"


def test_what_is_implemented_has_a_marked_test():
    unmarked = [p for p in WITH_TESTS if not set(p.tests) & marked().get(p.same_as or p.key, set())]
    assert not [(p.key, p.tests) for p in unmarked]


def test_marks_are_found_where_pytest_finds_them():
    text = """
pytestmark = [pytest.mark.slow, pytest.mark.paper("a", "b")]

@pytest.mark.paper("c")
def test_one(): ...

@pytest.mark.paper("d")
class TestTwo:
    @pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.paper("e"))])
    def test_three(self): ...
"""
    assert list(marks(ast.parse(text))) == [
        ("test_one", ["a", "b", "c"]),
        ("TestTwo::test_three", ["a", "b", "d", "e"]),
    ]

"""What the house may import, how large a room may be, and what nobody may do."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import posttrain
from tests.rooms import ABOVE_THE_TABLE, ROOMS, room_of
from tests.tested_in import TESTED_IN

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "posttrain"
FILES = sorted(SOURCE.rglob("*.py"))

MACHINES = ("torch.distributed", "ray", "vllm")

LONGEST_FILE, LONGEST_FUNCTION = 300, 40
LONG_FILES: set[str] = set()  # may only shrink
LONG_FUNCTIONS: set[str] = set()  # may only shrink
SEEDS_GLOBALLY = {
    "sandbox/inside/program.py",  # the model's program, alone in its process
    "learners/stable_baselines.py",  # Stable-Baselines3 draws from them; they are put back
    "models/adapters.py",  # peft draws from the global generator; it is put back
    "rewards/workers/evaluate.py",  # for the user's function, in a process of its own or with everything put back
}
KEEPS_OR_OWNS = {"Random", "defaultrng", "getstate", "setstate"}
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc"}


# ---- reading the source


def name_of(file: Path) -> str:
    return file.relative_to(SOURCE).as_posix()


def module_of(file: Path) -> str:
    return ".".join(("posttrain", *file.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")


MODULES = frozenset(map(module_of, FILES))


def room(file: Path) -> str:
    return room_of(module_of(file).removeprefix("posttrain").removeprefix(".") or "__init__")


def home(name: str) -> str:
    """The module of ours that an imported name is, or lies in, without `posttrain.`."""
    while name not in MODULES:
        name = name.rpartition(".")[0]
    return name.removeprefix("posttrain").removeprefix(".")


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def children(node: ast.AST, *, lazily: bool) -> Iterator[ast.AST]:
    """Everything below, but (unless `lazily`) for the insides of functions. TYPE_CHECKING makes no difference."""
    for child in ast.iter_child_nodes(node):
        yield child
        if lazily or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from children(child, lazily=lazily)


def imported(tree: ast.AST, *, lazily: bool = True) -> set[str]:
    """Full names: `from a.b import c` gives a.b and a.b.c, since c may be a module."""
    names: set[str] = set()
    for node in children(tree, lazily=lazily):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def under(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def calls(tree: ast.AST) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef, text: list[str]) -> int:
    """Lines of the body without docstring, comments and blank lines."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    lines = text[body[0].lineno - 1 : function.end_lineno]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


def has_logic(tree: ast.Module) -> bool:
    """Whether some function has a body besides its docstring."""
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    bodies = [statement for f in functions for statement in f.body]
    return any(not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)) for s in bodies)


def nearest_entry(name: str) -> str | None:
    """The nearest entry of the table: that of the file, or of the innermost folder."""
    folders = [f"{p.as_posix()}/" for p in Path(name).parents if p.name]
    return next((entry for entry in (name, *folders) if entry in TESTED_IN), None)


def ours(names: Iterable[str]) -> set[str]:
    return {n for n in names if under(n, "posttrain")}


# ---- the laws


@pytest.mark.parametrize("name", sorted({room(f) for f in FILES} - ABOVE_THE_TABLE))
def test_a_room_imports_what_it_may(name):
    assert name in ROOMS, f"{name} is a new room: say in tests/rooms.py what it may import"
    for file in FILES:
        if room(file) == name:
            rooms = {room_of(home(n)) for n in ours(imported(parsed(file))) if home(n)}
            assert rooms <= ROOMS[name] | {name}, f"{name_of(file)} imports {sorted(rooms - ROOMS[name] - {name})}"


def test_the_table_names_rooms_that_exist_and_goes_in_no_circle():
    """A room and a room inside it may import each other as long as their modules go in no circle."""
    assert set(ROOMS) == {room(f) for f in FILES} - ABOVE_THE_TABLE

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        for inner in sorted(ROOMS[name]):
            if not (under(inner, name) or under(name, inner)):
                visit(inner, (*path, name))

    for name in ROOMS:
        visit(name, ())


def test_no_import_goes_in_circles():
    """What only a type checker reads counts; an import inside a function may point anywhere that the table allows."""
    modules = {module_of(f): f for f in FILES}
    graph = {m: ours(imported(parsed(f), lazily=False)) & modules.keys() for m, f in modules.items()}
    packages = {m: {".".join(m.split(".")[:k]) for k in range(2, m.count(".") + 1)} & modules.keys() for m in modules}
    graph = {m: {p for n in names for p in {n, *packages[n]}} - packages[m] - {m} for m, names in graph.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path[path.index(module) :], module))
        if module not in done:
            for name in sorted(graph[module]):
                visit(name, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_the_house_has_few_rooms():
    folders = {f.relative_to(SOURCE).parts[0] for f in FILES if f.parent != SOURCE}
    assert len(folders) <= 29
    assert len([f for f in FILES if f.parent == SOURCE]) <= 8


def test_files_are_short():
    long = {name_of(f) for f in FILES if len(f.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE}
    assert long == LONG_FILES


def test_functions_are_short():
    long = set()
    for file in FILES:
        text = file.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and code_lines(node, text) > LONGEST_FUNCTION:
                long.add(f"{name_of(file)}:{node.name}")
    assert long == LONG_FUNCTIONS


def test_no_init_packs_more_than_two_attributes_into_one_assignment():
    """A reader finds what an object holds line by line."""
    for file in FILES:
        inits = [n for n in ast.walk(parsed(file)) if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
        targets = [t for n in inits for a in ast.walk(n) if isinstance(a, ast.Assign) for t in a.targets]
        packed = [t.lineno for t in targets if isinstance(t, ast.Tuple) and len(t.elts) > 2]
        assert not packed, f"{name_of(file)}:{packed[0]}"


def bound(function: ast.FunctionDef) -> dict[str, int]:
    """Attributes of self that a function assigns, with the line."""
    found: dict[str, int] = {}
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            for target in (x for t in targets for x in (t.elts if isinstance(t, ast.Tuple) else [t])):
                if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
                    found.setdefault(target.attr, node.lineno)
    return found


def test_no_attribute_is_born_outside_init():
    """What an object holds is listed in one place: its fields, or the body of `__init__`, its parents' included."""
    classes = {c.name: (f, c) for f in FILES for c in ast.walk(parsed(f)) if isinstance(c, ast.ClassDef)}

    def born(name: str) -> set[str]:
        _, node = classes[name]
        made = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name in ("__init__", "__post_init__")]
        fields = {ast.unparse(n.target) for n in node.body if isinstance(n, ast.AnnAssign)}
        fields |= {ast.unparse(x) for n in node.body if isinstance(n, ast.Assign) for x in n.targets}
        parents = [b for b in map(ast.unparse, node.bases) if b in classes]
        return fields.union(*map(bound, made), *map(born, parents))

    for name, (file, node) in classes.items():
        for method in (n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("__")):
            late = bound(method).keys() - born(name)
            assert not late, f"{name_of(file)}: {name}.{sorted(late)[0]} is born in {method.name}"


# Words that the code once had for the field's terms, as names: what stands on the right is the word to use.
DIALECT = {
    "law": "distribution",
    "heard": "on_finished",
    "made_again": "recomputed",
    "spell": "measure_tokens",
    "so_far": "partial",
    "refill": "admit",
    "retire": "pop_finished",
    "add_words": "accumulate_tile",
    "back_words": "tile_backward",
    "usual_gap": "mean_gap_ema",
    "begun": "partial",
    "lead": "prefix_length",
    "twos": "all_pairs",
    "Running": "Scheduler",
    "Ahead": "BackgroundCalls",
    "Hold": "Saving",
    "NONE": "NO_OPTIONS",
    "rollout_row": "episode_row",
    "hush": "clear",
}
FITTED_LAW = "evaluation/"  # a law of over-optimisation is called so in its paper


def names(tree: ast.AST) -> set[str]:
    """Every name that a file defines, binds, takes or reads."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=name):
                found.add(name or "")
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
    return found


def test_the_code_speaks_the_language_of_the_field():
    for file in FILES:
        old = names(parsed(file)) & DIALECT.keys()
        old -= {"law"} if name_of(file).startswith(FITTED_LAW) else set()
        assert not old, f"{name_of(file)}: {', '.join(f'{w} -> {DIALECT[w]}' for w in sorted(old))}"


DIALECT_OF_SENTENCES = ("passes over what", "learnt", "is told of", "goes on with", "so many", "has lost its mind")


def test_docstrings_speak_it_too():
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        said = [phrase for phrase in DIALECT_OF_SENTENCES if phrase in text]
        assert not said, f"{name_of(file)}: {said[0]!r}"


def test_a_method_lends_another_nothing_but_itself():
    """A formula that two methods read belongs in formulas/."""
    for file in (SOURCE / "methods").rglob("*.py"):
        lent = {n for n in imported(parsed(file)) if n.startswith("posttrain.methods.") and n.count(".") == 4}
        assert {n.rsplit(".", 1)[1] for n in lent} <= {"METHOD"}, name_of(file)


def test_machines_live_behind_the_backend():
    for file in FILES:
        if not under(room(file), "backends"):
            found = {n for n in imported(parsed(file)) for m in MACHINES if under(n, m)}
            assert not found, f"{name_of(file)} imports {sorted(found)}"


def test_nothing_prints():
    assert not [name_of(f) for f in FILES if "print" in calls(parsed(f))]


def test_nothing_is_unpickled_or_evaluated():
    for file in FILES:
        if not name_of(file).startswith("sandbox/"):
            tree = parsed(file)
            assert not calls(tree) & {"eval", "exec", "compile", "torch.load", "__import__"}, name_of(file)
            assert not [n for n in imported(tree) for m in ("pickle", "marshal", "shelve", "dill") if under(n, m)]


def test_text_is_utf8_whatever_the_machine_speaks():
    for file in FILES:
        reads = [n for n in ast.walk(parsed(file)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
        bare = [n.lineno for n in reads if n.func.attr == "read_text" and not n.args and not n.keywords]
        assert not bare, f"{name_of(file)}:{bare[0]} reads text without naming its encoding"


def test_no_random_number_comes_from_a_global_generator():
    for file in FILES:
        drawn = {c for c in calls(parsed(file)) if c.startswith(("random.", "np.random.", "numpy.random."))}
        drawn = {c for c in drawn if c.rsplit(".", 1)[1].replace("_", "") not in KEEPS_OR_OWNS}
        seeded = {c for c in calls(parsed(file)) if c in ("torch.manual_seed", "torch.seed", "torch.cuda.manual_seed")}
        assert not drawn | seeded or name_of(file) in SEEDS_GLOBALLY, f"{name_of(file)}: {sorted(drawn | seeded)}"


def test_every_file_with_logic_has_a_test_of_its_name_or_says_where_it_is_tested():
    used = set()
    for file in FILES:
        name = name_of(file)
        own = TESTS / file.parent.relative_to(SOURCE) / f"test_{file.stem.strip('_')}.py"
        if not own.exists() and has_logic(parsed(file)):
            entry = nearest_entry(name)
            assert entry, (
                f"{name} has no {own.relative_to(TESTS)}; write it, or say in tests/tested_in.py where it is tested"
            )
            used.add(entry)
    assert used == set(TESTED_IN), f"tests/tested_in.py: {sorted(set(TESTED_IN) - used)} is no longer needed"


def test_where_files_are_tested_there_are_tests():
    for name in {place for places in TESTED_IN.values() for place in places}:
        place = TESTS / name
        files = sorted(place.rglob("test_*.py")) if place.is_dir() else [place]
        assert files, f"tests/{name} holds no test"
        assert all(f.exists() and "def test_" in f.read_text(encoding="utf-8") for f in files), f"no test in {name}"


def test_no_room_is_a_junk_drawer():
    assert not [name_of(f) for f in FILES if {*f.relative_to(SOURCE).with_suffix("").parts} & DRAWERS]


def test_no_public_name_is_that_of_a_module():
    """Importing the module `posttrain.x` would replace what `posttrain.x` was."""
    assert not set(posttrain.__all__) & {room(f).split(".")[0] for f in FILES}


def test_every_folder_is_a_package_with_a_sentence_about_it():
    folders = {f.parent for f in FILES}
    assert not [name_of(d) for d in folders if not (d / "__init__.py").exists()]
    assert not [name_of(f) for f in FILES if not ast.get_docstring(parsed(f)) and f.name != "__main__.py"]


LIGHT = (
    "posttrain",
    "posttrain.catalogue.index",
    "posttrain.catalogue.papers",
    "posttrain.cli.main",
    "posttrain.config",
    "posttrain.data.dataset",
    "posttrain.rewards.reward",
    "posttrain.rewards.scorer",
    "posttrain.runs.checkpoint",
    "posttrain.viewer.live",
    "posttrain.runs.state",
)
HEAVY = ("torch", "transformers", "peft", "datasets", "pyarrow")


@pytest.mark.parametrize(
    "work",
    [
        f"import {', '.join(LIGHT)}",
        "from posttrain.cli.main import main\nsys.argv = ['posttrain', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass",
    ],
    ids=["import", "--help"],
)
def test_what_must_be_quick_loads_no_torch(work):
    code = f"import sys\n{work}\nprint('loaded', sorted(set({HEAVY}) & set(sys.modules)))"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.splitlines()[-1] == "loaded []"


# ---- the readers see what they should


SAMPLE = '''
"""A sample."""
from typing import TYPE_CHECKING
import a.b
if TYPE_CHECKING:
    import types_only
try:
    from c import d
except ImportError:
    pass

def f(x):
    """One.

    Two.
    """
    # three
    import lazy

    y = x  # four
    return print(y)
'''


def test_the_readers_see_what_they_should():
    tree = ast.parse(SAMPLE)
    assert imported(tree, lazily=False) == {"typing", "typing.TYPE_CHECKING", "a.b", "types_only", "c", "c.d"}
    assert imported(tree) - imported(tree, lazily=False) == {"lazy"}
    assert calls(tree) == {"print"}
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef))
    assert code_lines(function, SAMPLE.splitlines()) == 3
    assert under("ray.util", "ray")
    assert not under("rays", "ray")

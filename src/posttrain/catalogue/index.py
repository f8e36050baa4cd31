"""Names are paths: `preference/simpo` is the file methods/preference/simpo.py, `./mine.py` a file of the user's.

Methods, procedures and tasks are found by the folder that they lie in. The end of a path is enough where only one file
has it: `simpo` is `preference/simpo`. A file opens with a docstring: the title of the paper and its authors, a summary,
the formula, what differs.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from posttrain.errors import ConfigError, suggestion
from posttrain.seeds import seed_for

if TYPE_CHECKING:
    from types import ModuleType

    from posttrain.core.method import Method

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Shelf:
    """A folder whose files can be named in a run file; `takes`: the parameters of the function that a file defines."""

    kind: str
    folder: str
    takes: str = ""

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Paths of the files that define a METHOD, or a function of their own name. Other files are helpers."""
        root = PACKAGE / self.folder
        return tuple(sorted(f.relative_to(root).with_suffix("").as_posix() for f in root.rglob("*.py") if self._has(f)))

    def _has(self, file: Path) -> bool:
        text = file.read_text(encoding="utf-8")
        defines = rf"^def {re.escape(file.stem)}\(" if self.takes else r"^METHOD\b"
        return re.search(defines, text, re.MULTILINE) is not None

    def file(self, name: str) -> Path:
        return PACKAGE / self.folder / f"{name}.py"

    def full(self, name: str) -> str | None:
        """The whole path of a name that may leave out its folders; None for a name that no file has.

        Raises ConfigError where several files have it.
        """
        if name in self.names:
            return name
        ends = [known for known in self.names if known.endswith(f"/{name}")]
        if len(ends) > 1:
            raise ConfigError(f"several {self.kind}s are called {name!r}: write {' or '.join(ends)}")
        return ends[0] if ends else None

    def module(self, name: str, base: Path | None) -> ModuleType:
        """The module of a name, or of a user's file, which is looked up beside the run file (`base`), then here."""
        if name.endswith(".py"):
            beside = (base / name) if base else Path(name)
            return import_file(beside if beside.exists() else Path(name), self.kind)
        found = self.full(name)
        if found is None:
            raise self.unknown(name)
        return importlib.import_module(".".join(("posttrain", *self.folder.split("/"), *found.split("/"))))

    def unknown(self, name: str) -> ConfigError:
        if name.endswith(".py"):
            return ConfigError(f"{self.kind} file {name} does not exist")
        close = suggestion(name, self.names) or suggestion(name, [n.rpartition("/")[2] for n in self.names])
        if self is not TASKS:
            return ConfigError(
                f"no {self.kind} {name!r}{close}; `posttrain methods` lists all {len(self.names)}, ./mine.py is one of "
                "yours"
            )
        return ConfigError(f"no {self.kind} {name!r}{close}; there are {', '.join(self.names)}")

    def function(self, name: str, base: Path | None) -> Callable[..., Any]:
        """The function of a file. ConfigError for an unknown name, and for a file without a function of its name."""
        made = getattr(self.module(name, base), Path(name).stem, None)
        if not callable(made):
            raise ConfigError(f"{name}: defines no function {Path(name).stem}({self.takes})")
        return cast("Callable[..., Any]", made)


METHODS = Shelf("method", "methods")
PROCEDURES = Shelf("procedure", "procedures", "session, ...")
TASKS = Shelf("task", "evaluation/tasks", "folder, seed")


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue, read from the docstring of its file without importing it."""

    path: str
    kind: str
    title: str
    summary: str
    text: str


def paths() -> Sequence[str]:
    """Every method that ships: `imitation/sft`, `online/grpo`, ..."""
    return METHODS.names


def procedures() -> Sequence[str]:
    """Every procedure that ships: `pipelines/instructgpt`, `rounds/raft`, ..."""
    return PROCEDURES.names


def tasks() -> Sequence[str]:
    """Every task of `posttrain compare` that ships: `gold_reward`, ..."""
    return TASKS.names


def entry(path: str) -> Entry:
    """What the docstring of a method's or procedure's file says. ConfigError for an unknown name."""
    shelf, name, file = _located(path)
    text = inspect.cleandoc(ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "")
    title, _, rest = text.partition("\n\n")
    summary = rest.split("\n\n")[0].replace("\n", " ")
    kind = "yours" if shelf is None else "procedure" if shelf is PROCEDURES else name.split("/")[0]
    return Entry(name, kind, title.replace("\n", " ").rstrip("."), summary, text)


def is_procedure(path: str) -> bool:
    """Whether a name means a procedure; a method of the same name comes first."""
    return not path.endswith(".py") and METHODS.full(path) is None and PROCEDURES.full(path) is not None


def _located(path: str) -> tuple[Shelf | None, str, Path]:
    """The shelf (None: the user's own), the whole name and the file of a path."""
    if path.endswith(".py"):
        if not Path(path).exists():
            raise METHODS.unknown(path)
        return None, path, Path(path).resolve()
    found = [(shelf, name) for shelf in (METHODS, PROCEDURES) if (name := shelf.full(path)) is not None]
    if not found:
        raise METHODS.unknown(path)
    if len(found) > 1:
        raise ConfigError(f"{path!r} is a method and a procedure: write {' or '.join(name for _, name in found)}")
    ((shelf, name),) = found
    return shelf, name, shelf.file(name)


def load(path: str, base: Path | None = None) -> Method:
    """The METHOD of a file. A path that ends in .py is looked up beside the run file (`base`), then here.

    Raises ConfigError for an unknown name (with a suggestion), and for a file that fails or lacks METHOD.
    """
    from posttrain.core.method import Method

    if is_procedure(path):
        raise ConfigError(f"{path} is a procedure, not a method; write `procedure: {path}`")
    method = getattr(METHODS.module(path, base), "METHOD", None)
    if method is None:
        raise ConfigError(f"{path}: defines no METHOD; write METHOD = Method(...) or METHOD = variant(PARENT, ...)")
    if not isinstance(method, Method):
        raise ConfigError(f"{path}: METHOD is a {type(method).__name__}, not a Method")
    return method


def load_procedure(path: str, base: Path | None = None) -> Callable[..., Any]:
    """The function of a procedure: `instructgpt` is procedures/pipelines/instructgpt.py, `./mine.py` the user's.

    Raises ConfigError for an unknown name (with a suggestion), and for a file without a function of its own name.
    """
    return PROCEDURES.function(path, base)


def load_task(path: str, base: Path | None = None) -> Callable[..., Any]:
    """The function of a task: `gold_reward` is evaluation/tasks/gold_reward.py, `./mine.py` the user's. ConfigError."""
    return TASKS.function(path, base)


def import_file(file: Path, what: str) -> ModuleType:
    """Run a user's file as a module, under a name that derives from its path, so that what it defines pickles."""
    if not file.exists():
        raise ConfigError(f"{what} file {file} does not exist")
    name = f"posttrain_file_{seed_for(str(file.resolve())):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec: Any = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ConfigError:
        del sys.modules[name]
        raise
    except (Exception, SystemExit) as error:  # a user's file may fail in any way; the error must name it
        del sys.modules[name]
        raise ConfigError(f"{what} file {file} fails at import: {type(error).__name__}: {error}") from error
    return module

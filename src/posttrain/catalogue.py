"""Names are paths: `preference/simpo` is the file methods/preference/simpo.py, `./mine.py` a file of the user's.
A name without a slash is a procedure: `raft` is procedures/raft.py.

A file opens with a docstring: the title of the paper and its authors, a summary, the formula, what differs.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from posttrain.errors import ConfigError, suggestion
from posttrain.seeds import seed_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from posttrain.method import Method

HERE = Path(__file__).parent / "methods"
PROCEDURES = Path(__file__).parent / "procedures"
TASKS = Path(__file__).parent / "tasks"


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue, read from the docstring of its file without importing it."""

    path: str
    kind: str
    title: str
    summary: str
    text: str


def paths() -> list[str]:
    """Every method that ships: `imitation/sft`, `online/grpo`, ..."""
    return sorted(f"{f.parent.name}/{f.stem}" for f in HERE.glob("*/*.py") if f.stem != "__init__")


def procedures() -> list[str]:
    """Every procedure that ships: `instructgpt`, `raft`, ..."""
    return sorted(f.stem for f in PROCEDURES.glob("*.py") if f.stem != "__init__")


def tasks() -> list[str]:
    """Every task of `posttrain compare` that ships: `gold_reward`, ..."""
    return sorted(f.stem for f in TASKS.glob("*.py") if f.stem != "__init__")


def entry(path: str) -> Entry:
    """What the docstring of a method's or procedure's file says. ConfigError for an unknown name."""
    file = PROCEDURES / f"{path}.py" if path in procedures() else _file(path)
    text = inspect.cleandoc(ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "")
    title, _, rest = text.partition("\n\n")
    summary = rest.split("\n\n")[0].replace("\n", " ")
    return Entry(path, _kind(path, file), title.replace("\n", " ").rstrip("."), summary, text)


def _kind(path: str, file: Path) -> str:
    if file.parent == PROCEDURES:
        return "procedure"
    return path.split("/")[0] if file.is_relative_to(HERE) else "yours"


def load(path: str, base: Path | None = None) -> Method:
    """The METHOD of a file. A path that ends in .py is looked up beside the run file (`base`), then here.

    Raises ConfigError for an unknown name (with a suggestion), and for a file that fails or lacks METHOD.
    """
    from posttrain.method import Method

    method = getattr(_module(path, base), "METHOD", None)
    if method is None:
        raise ConfigError(f"{path}: defines no METHOD; write METHOD = Method(...) or METHOD = variant(PARENT, ...)")
    if not isinstance(method, Method):
        raise ConfigError(f"{path}: METHOD is a {type(method).__name__}, not a Method")
    return method


def load_procedure(path: str, base: Path | None = None) -> Callable[..., Any]:
    """The function of a procedure: `instructgpt` is procedures/instructgpt.py, `./mine.py` one of the user's.

    Raises ConfigError for an unknown name (with a suggestion), and for a file without a function of its own name.
    """
    return _function(path, base, "procedure", procedures(), "session, ...")


def load_task(path: str, base: Path | None = None) -> Callable[..., Any]:
    """The function of a task: `gold_reward` is tasks/gold_reward.py, `./mine.py` one of the user's. ConfigError."""
    return _function(path, base, "task", tasks(), "folder, seed")


def _function(path: str, base: Path | None, what: str, known: list[str], takes: str) -> Callable[..., Any]:
    if path.endswith(".py"):
        beside = (base / path) if base else Path(path)
        module = import_file(beside if beside.exists() else Path(path), what)
    elif path in known:
        module = importlib.import_module(f"posttrain.{what}s.{path}")
    else:
        raise ConfigError(f"no {what} {path!r}{suggestion(path, known)}; there are {', '.join(known)}")
    name = Path(path).stem
    function = getattr(module, name, None)
    if not callable(function):
        raise ConfigError(f"{path}: defines no function {name}({takes})")
    return cast("Callable[..., Any]", function)


def _file(path: str) -> Path:
    if not path.endswith(".py"):
        if path not in paths():
            raise _unknown(path)
        return HERE / f"{path}.py"
    if not Path(path).exists():
        raise _unknown(path)
    return Path(path).resolve()


def _unknown(path: str) -> ConfigError:
    if path.endswith(".py"):
        return ConfigError(f"method file {path} does not exist")
    known = paths()
    if path in procedures():
        return ConfigError(f"{path} is a procedure, not a method; write `procedure: {path}`")
    close = suggestion(path, known) or suggestion(path, [p.split("/")[1] for p in known])
    return ConfigError(
        f"no method {path!r}{close}; `posttrain methods` lists all {len(known)}, ./mine.py is one of yours"
    )


def _module(path: str, base: Path | None) -> ModuleType:
    if not path.endswith(".py"):
        if path not in paths():
            raise _unknown(path)
        return importlib.import_module(f"posttrain.methods.{path.replace('/', '.')}")
    beside = (base / path) if base else Path(path)
    return import_file(beside if beside.exists() else Path(path), "method")


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

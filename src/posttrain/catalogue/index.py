"""The index of methods, procedures, tasks, decoders and choices.

Names are paths: `preference/simpo` is methods/preference/simpo.py. The folder of a file determines what it is;
`./mine.py` is a file of the user's. The end of a path is enough if it is unique: `simpo` is `preference/simpo`. Each
file opens with a docstring: the title of the paper and its authors, a summary, the formula, and differences from the
paper.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from posttrain.errors import ConfigError, suggestion
from posttrain.seeds import seed_for

if TYPE_CHECKING:
    from types import ModuleType

    from torch import Tensor

    from posttrain.core.choice import Choice
    from posttrain.core.decoder import Decoder
    from posttrain.core.method import Method

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Shelf:
    """A folder whose files a run file can name. `takes`: the parameters of the function that a file defines, if any."""

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
        """Return the file of a full name."""
        return PACKAGE / self.folder / f"{name}.py"

    def full(self, name: str) -> str | None:
        """Return the full name for one that may lack its folders; None if no file has it.

        Raises ConfigError if several files have it.
        """
        if name in self.names:
            return name
        ends = [known for known in self.names if known.endswith(f"/{name}")]
        if len(ends) > 1:
            raise ConfigError(f"several {self.kind}s are called {name!r}: write {' or '.join(ends)}")
        return ends[0] if ends else None

    def module(self, name: str, base: Path | None) -> ModuleType:
        """Import the module of a name, or a user's file: beside the run file (`base`), else in the current folder."""
        if name.endswith(".py"):
            beside = (base / name) if base else Path(name)
            return import_file(beside if beside.exists() else Path(name), self.kind)
        full_name = self.full(name)
        if full_name is None:
            raise self.unknown(name)
        return importlib.import_module(".".join(("posttrain", *self.folder.split("/"), *full_name.split("/"))))

    def unknown(self, name: str) -> ConfigError:
        """Make the error for a name that no file has, with a suggestion."""
        if name.endswith(".py"):
            return ConfigError(f"{self.kind} file {name} does not exist")
        close = suggestion(name, self.names) or suggestion(name, [n.rpartition("/")[2] for n in self.names])
        if self in (METHODS, PROCEDURES):
            return ConfigError(
                f"no {self.kind} {name!r}{close}; `posttrain methods` lists all {len(self.names)}, ./mine.py is one of "
                "yours"
            )
        return ConfigError(f"no {self.kind} {name!r}{close}; there are {', '.join(self.names)}")

    def function(self, name: str, base: Path | None) -> Callable[..., Any]:
        """Load the function of a file. Raises ConfigError for an unknown name or a file without that function."""
        function = getattr(self.module(name, base), Path(name).stem, None)
        if not callable(function):
            raise ConfigError(f"{name}: defines no function {Path(name).stem}({self.takes})")
        return cast("Callable[..., Any]", function)


METHODS = Shelf("method", "methods")
PROCEDURES = Shelf("procedure", "procedures", "session, ...")
TASKS = Shelf("task", "evaluation/tasks", "folder, seed")
DECODERS = Shelf("decoder", "sampling/decoders", "policy, ...")
CHOICES = Shelf("choice", "selection/choices", "rewards, ...")
SUITES = Shelf("suite", "evaluation/suites", "*, ...")
STRATEGIES = Shelf("strategy of search", "search/strategies", "tree, ...")


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue, read from the docstring of its file without importing it."""

    path: str
    kind: str
    title: str
    summary: str
    text: str


def paths() -> Sequence[str]:
    """List the bundled methods: `imitation/sft`, `online/grpo`, ..."""
    return METHODS.names


def procedures() -> Sequence[str]:
    """List the bundled procedures: `pipelines/instructgpt`, `rounds/raft`, ..."""
    return PROCEDURES.names


def tasks() -> Sequence[str]:
    """List the bundled tasks of `posttrain compare`: `gold_reward`, ..."""
    return TASKS.names


def decoders() -> Sequence[str]:
    """List the bundled decoders: `dera`, ..."""
    return DECODERS.names


def choices() -> Sequence[str]:
    """List the bundled choices between answers: `best_of_n`, ..."""
    return CHOICES.names


def entry(path: str) -> Entry:
    """Read the docstring of a method's or procedure's file. Raises ConfigError for an unknown name."""
    shelf, name, file = _located(path)
    text = inspect.cleandoc(ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "")
    title, _, rest = text.partition("\n\n")
    summary = rest.split("\n\n")[0].replace("\n", " ")
    kind = "yours" if shelf is None else "procedure" if shelf is PROCEDURES else name.split("/")[0]
    return Entry(name, kind, title.replace("\n", " ").rstrip("."), summary, text)


def is_procedure(path: str) -> bool:
    """Whether a name is that of a procedure and not of a method."""
    return not path.endswith(".py") and METHODS.full(path) is None and PROCEDURES.full(path) is not None


def _located(path: str) -> tuple[Shelf | None, str, Path]:
    """Return the shelf (None for a user's file), the full name and the file of a path. Raises ConfigError."""
    if path.endswith(".py"):
        if not Path(path).exists():
            raise METHODS.unknown(path)
        return None, path, Path(path).resolve()
    matches = [(shelf, name) for shelf in (METHODS, PROCEDURES) if (name := shelf.full(path)) is not None]
    if not matches:
        raise METHODS.unknown(path)
    if len(matches) > 1:
        raise ConfigError(f"{path!r} is a method and a procedure: write {' or '.join(name for _, name in matches)}")
    ((shelf, name),) = matches
    return shelf, name, shelf.file(name)


def load(path: str, base: Path | None = None) -> Method:
    """Load the METHOD of a file. A path ending in .py is looked up beside the run file (`base`), else in the current
    folder.

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
    """Load the function of a procedure: `instructgpt` is procedures/pipelines/instructgpt.py, `./mine.py` the user's.

    Raises ConfigError for an unknown name (with a suggestion), and for a file without a function of its own name.
    """
    return PROCEDURES.function(path, base)


def load_task(path: str, base: Path | None = None) -> Callable[..., Any]:
    """Load the function of a task: `gold_reward` is evaluation/tasks/gold_reward.py, `./mine.py` the user's.

    Raises ConfigError for an unknown name, and for a file without a function of its own name.
    """
    return TASKS.function(path, base)


def load_decoder(
    path: str,
    settings: Mapping[str, Any] | None = None,
    base: Path | None = None,
    parts: Mapping[str, Tensor] | None = None,
) -> Decoder:
    """Load a decoder with settings: `dera` is sampling/decoders/dera.py, `./mine.py` the user's.

    `parts`: the tensors that it reads. Raises ConfigError for an unknown name, a file without a function of its own
    name, a setting that it lacks, and for an edit whose tensors are not given.
    """
    from posttrain.core.decoder import EDITED, Decoder

    function, chosen = _with_settings(DECODERS, path, settings or {}, base)
    decoder = Decoder(Path(path).stem, function, chosen)
    given = {name: part for name, part in (parts or {}).items() if name in decoder.reads}
    if decoder.edits and (missing := [n for n in decoder.reads if n not in (*EDITED, *given)]):
        raise ConfigError(
            f"the decoder {path} reads {', '.join(missing)}, which are saved with a model: posttrain steer makes them"
        )
    return Decoder(decoder.name, function, chosen, given)


def load_choice(path: str, settings: Mapping[str, Any] | None = None, base: Path | None = None) -> Choice:
    """Load a choice between answers with settings: `mbr` is selection/choices/mbr.py, `./mine.py` the user's.

    Raises ConfigError likewise, and for a function without the setting `n`.
    """
    from posttrain.core.choice import Choice

    choice = Choice(Path(path).stem, *_with_settings(CHOICES, path, settings or {}, base))
    if "n" not in choice.parameters or choice.n < 1:
        raise ConfigError(f"{path}: n, the number of answers to choose from, must be a setting of at least 1")
    return choice


def strategies() -> Sequence[str]:
    """List the bundled strategies of search: `beam`, ..."""
    return STRATEGIES.names


def load_strategy(
    path: str, settings: Mapping[str, Any] | None = None, base: Path | None = None
) -> tuple[Callable[..., Any], tuple[tuple[str, Any], ...]]:
    """Load a strategy of search, and its settings: `mcts` is search/strategies/mcts.py, `./mine.py` the user's.

    Raises ConfigError likewise.
    """
    return _with_settings(STRATEGIES, path, settings or {}, base)


def _with_settings(
    shelf: Shelf, path: str, settings: Mapping[str, Any], base: Path | None
) -> tuple[Callable[..., Any], tuple[tuple[str, Any], ...]]:
    from posttrain.catalogue.signature import Signature

    function = shelf.function(path, base)
    Signature(function).check(settings, path)
    return function, tuple(sorted(settings.items()))


def import_file(file: Path, what: str) -> ModuleType:
    """Import a user's file under a name that derives from its path, so that what it defines pickles.

    `what`: what the file is, for errors. Raises ConfigError if the file does not exist or fails.
    """
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

"""Rows of the bundled generators, in TRL's columns, for any kind of data.

Settings: level (1 is the easiest), split (train or test), size (the maximum number of rows; 1000 for train, 200 for
test), chat (true: a conversation; false: a few bytes of plain text such as "7+5=", for tiny models).

The hash of a question decides its split, half of them for each. So no question is in both splits, whatever the seed,
and none occurs twice. A level with few questions may give fewer than `size`: arithmetic's level 1 has 400, half of them
for training.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from importlib import import_module
from itertools import count
from typing import Any

from posttrain.data import generators
from posttrain.data.problem import Problem
from posttrain.errors import ConfigError, suggestion
from posttrain.seeds import seed_for

SIZES = {"train": 1000, "test": 200}
SETTINGS = ("level", "split", "size", "chat")


@cache
def names() -> tuple[str, ...]:
    """List the generators: the files of their folder."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(generators.__path__)))


def rows(
    name: str, settings: Mapping[str, str], kind: str, *, seed: int = 0, size: int | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (where, row); `where` is "arithmetic:17", with the index of the problem. `size` overrides the setting."""
    if unknown := [s for s in settings if s not in SETTINGS]:
        hint = suggestion(unknown[0], SETTINGS)
        raise ConfigError(f"{name}: unknown setting {unknown[0]!r}{hint}; settings: {', '.join(SETTINGS)}")
    levels = import_module(f"{generators.__name__}.{name}").LEVELS
    level = _choice(name, settings, "level", {str(i): i for i in levels}, levels[0])
    split = _choice(name, settings, "split", {s: s for s in SIZES}, "train")
    chat = _choice(name, settings, "chat", {"true": True, "false": False}, True)
    wanted = size or _size(name, settings) or SIZES[split]
    for index, problem in _problems(name, seed, level, split, wanted):
        row = _row(problem, kind, chat, right=index % 2 == 0)
        yield f"{name}:{index}", {"id": f"{name} {problem.question}", **row}


def split_of(question: str) -> str:
    """Assign a question to a split by its hash: one in two is for testing."""
    return "test" if seed_for("split", question) < 2**55 else "train"


@lru_cache(maxsize=4)
def _problems(name: str, seed: int, level: int, split: str, wanted: int) -> tuple[tuple[int, Problem], ...]:
    """List different problems of a split, until there are enough or no new one has turned up for a long time."""
    return tuple(_found(import_module(f"{generators.__name__}.{name}").make, seed, level, split, wanted))


def _found(
    make: Callable[[int, int, int], Problem], seed: int, level: int, split: str, wanted: int
) -> Iterator[tuple[int, Problem]]:
    seen: set[str] = set()
    newest = 0
    for index in count():
        problem = make(index, seed, level)
        if split_of(problem.question) == split and problem.question not in seen:
            seen.add(problem.question)
            newest = index
            yield index, problem
        if len(seen) == wanted or index - newest > 1000 + 40 * len(seen):
            return


def _row(problem: Problem, kind: str, chat: bool, *, right: bool) -> dict[str, Any]:
    """Return the columns of a kind. Of ratings, one in two is a wrong answer with a thumbs down."""
    question = [{"role": "user", "content": problem.question}] if chat else problem.short
    if kind == "text":
        return {"text": f"{problem.question} {problem.answer}" if chat else problem.short + problem.answer}
    if kind == "demonstrations":
        return {"prompt": question, "completion": problem.answer}
    columns = {"answer": problem.answer, **problem.columns}
    if kind == "pairs":
        return {"prompt": question, "chosen": problem.answer, "rejected": problem.wrong, **columns}
    if kind == "rankings":
        answers = [problem.answer, problem.wrong]
        return {"prompt": question, "completions": answers, "reward": [1.0, 0.0], **columns}
    if kind == "candidates":
        return {"prompt": question, "completions": [problem.wrong, problem.answer], "correct": [False, True], **columns}
    if kind == "ratings":
        return {"prompt": question, "completion": problem.answer if right else problem.wrong, "label": right, **columns}
    return {"prompt": question, **columns}


def _choice(name: str, settings: Mapping[str, str], key: str, known: Mapping[str, Any], default: Any) -> Any:
    given = settings.get(key)
    if given is None:
        return default
    if given not in known:
        raise ConfigError(f"{name}: {key}={given} is unknown; choose from {', '.join(known)}")
    return known[given]


def _size(name: str, settings: Mapping[str, str]) -> int | None:
    given = settings.get("size")
    if given is not None and not (given.isascii() and given.isdigit() and int(given)):
        raise ConfigError(f"{name}: size={given} must be a whole number above 0")
    return int(given) if given else None

"""What `posttrain.train` takes in Python where a run file has names: models, methods, rows, datasets, reward functions.

The run file gets a name for each object, `given:NAME-FINGERPRINT`, and holds the objects by these names
(`RunFile.given`). So `config.yaml` says what was given, and a resumed run notices whether it is the same.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from posttrain.config.sections.data import Data, Source
from posttrain.core.method import Method
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.models.loading.given import Given as GivenModel
from posttrain.models.loading.given import fingerprint_of_weights
from posttrain.rewards.reward import Reward
from posttrain.training.source import GIVEN

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")

TAKEN = {
    "model": "a name, a folder or a hub id; a mapping with `path`; a loaded model of transformers with tokenizer=...; "
    "or a pair (model, tokenizer)",
    "method": "a name or ./file.py; a mapping with `path` and settings; or a posttrain.Method",
    "procedure": "a name or ./file.py; a mapping with `path` and settings; or a function of a session",
    "environment": "a name or ./file.py; a mapping with `path` and settings; or a class of a file",
    "data": "a file, a hub id, a generator or a list of these; a list of rows (dictionaries); a datasets.Dataset; a "
    "Dataset of posttrain.data; a mapping with `path`; or a mapping of these, one for each stream of the method",
    "rewards": "a function; a name such as math_answer or ./file.py:function; a mapping with `path`; or a list of "
    "these",
}


class Objects(dict[str, Any]):
    """Objects by the names that stand for them in a run file."""

    def add(self, value: Any, name: str, fingerprint: str) -> str:
        """Keep an object; returns its name."""
        known = f"{GIVEN}{re.sub('[^A-Za-z0-9_.]+', '-', name)}-{fingerprint}"
        self[known] = value
        return known

    # ---- one kind of value each: what it becomes in the run file

    def model(self, value: Any, tokenizer: Any) -> Any:
        """`model`: a model of transformers becomes its name."""
        if isinstance(value, tuple) and len(value) == 2 and tokenizer is None:
            value, tokenizer = value
        if isinstance(value, Mapping) and hasattr(value.get("path"), "state_dict"):
            return {**value, "path": self.model(value["path"], tokenizer)}
        if isinstance(value, str | Mapping):
            if tokenizer is not None:
                raise ConfigError("tokenizer is for a loaded model; that of a model by its name is loaded with it")
            return value
        if not hasattr(value, "state_dict") or not hasattr(value, "config"):
            raise _wrong("model", value)
        if not hasattr(tokenizer, "get_vocab"):
            raise ConfigError(f"model: {type(value).__name__} needs its tokenizer: train(model, tokenizer=tokenizer)")
        return self.add(GivenModel(value, tokenizer), type(value).__name__, fingerprint_of_weights(value))

    def code(self, value: Any, section: str) -> Any:
        """`method` or `procedure`: a Method or a function becomes its name."""
        if isinstance(value, Mapping) and not isinstance(value.get("path"), str | None):
            return {**value, "path": self.code(value["path"], section)}
        if section == "method" and isinstance(value, Method):
            return self.add(value, value.name, _hash(_ADDRESS.sub("", repr(value))))
        if section == "procedure" and inspect.isfunction(value):
            return self.add(value, value.__name__, _hash(_source(value)))
        if value is None or isinstance(value, str | Mapping):
            return value
        raise _wrong(section, value)

    def data(self, value: Any, where: str = "data") -> Any:
        """`data`, or one source of it: rows become their name."""
        if value is None or isinstance(value, str):
            return value
        if type(value).__name__ in ("DatasetDict", "IterableDatasetDict"):
            raise ConfigError(f"{where}: give one of the splits of the DatasetDict: {', '.join(value)}")
        if isinstance(value, Mapping):
            return self._mapping(value, where)
        if isinstance(value, list | tuple) and value and all(map(_is_source, value)):
            return [self._mapping(s, where) if isinstance(s, Mapping) else self.data(s, where) for s in value]
        if isinstance(value, Dataset):
            return self.add(value, "Dataset", value.fingerprint)
        rows = hasattr(value, "column_names") and hasattr(value, "features") and hasattr(value, "__getitem__")
        if rows or (isinstance(value, Sequence) and all(isinstance(row, Mapping) for row in value)):
            if not len(value):
                raise ConfigError(f"{where}: 0 rows")
            return self.add(value, f"{len(value)}-rows", _hash(*map(_as_text, value)))
        raise _wrong("data", value, where)

    def _mapping(self, value: Mapping[str, Any], where: str) -> dict[str, Any]:
        if "path" in value:
            return {**value, "path": self.data(value["path"], where)}
        if "mix" in value:
            return {**value, "mix": self.data(value["mix"], where)}
        if value.keys() & Data.model_fields.keys():
            return dict(value)  # the check of the run file says what is missing
        for name, source in value.items():
            if isinstance(source, Sequence) and not isinstance(source, str) and source and not _rows(source):
                kind = type(source[0]).__name__
                raise ConfigError(
                    f"{where}.{name}: a list of {kind}, so this is a mapping of columns; give rows, or "
                    "datasets.Dataset.from_dict(...)"
                )
        return {name: self.data(source, f"{where}.{name}") for name, source in value.items()}

    def role(self, value: Any, role: str) -> Any:
        """An entry of `models`: a pair of a model and its tokenizer becomes its name."""
        if hasattr(value, "state_dict"):
            raise ConfigError(f"models.{role}: give a pair (model, tokenizer)")
        return self.model(value, None) if isinstance(value, tuple) else value

    def environment(self, value: Any) -> Any:
        """`environment`: a class becomes the file that holds it, where the processes of the environment find it."""
        if isinstance(value, Mapping) and not isinstance(value.get("path"), str | None):
            return {**value, "path": self.environment(value["path"])}
        if value is None or isinstance(value, str | Mapping):
            return value
        if not inspect.isclass(value):
            raise _wrong("environment", value)
        file = getattr(sys.modules.get(value.__module__), "__file__", None)
        if value.__module__ == "__main__" or not file or "<locals>" in value.__qualname__:
            raise ConfigError(
                f"environment: {value.__name__} runs in processes of its own, which import it; write it into a file "
                f"that does nothing else, at its top level: environment='./mine.py'"
            )
        return f"{file}:{value.__name__}"

    def evaluate(self, value: Any) -> Any:
        """`evaluate`: rows in its `data` and `records` become their names."""
        if not isinstance(value, Mapping):
            if value is None or (isinstance(value, list | tuple) and all(isinstance(x, str) for x in value)):
                return value
            raise ConfigError(f'evaluate: {type(value).__name__} is not taken; give a mapping: {{"data": rows}}')
        return {k: self.data(v, f"evaluate.{k}") if k in ("data", "records") else v for k, v in value.items()}

    def rewards(self, value: Any) -> list[Any]:
        """`rewards`: functions and objects become their names."""
        if isinstance(value, str | Mapping | Reward) or callable(value):
            value = [value]
        if not isinstance(value, Iterable):
            raise _wrong("rewards", value)
        return [self._reward(entry) for entry in value]

    def _reward(self, entry: Any) -> Any:
        if isinstance(entry, str):
            return entry
        if isinstance(entry, Mapping):
            path = entry.get("path")
            if len(entry) == 1 and path is None:
                ((path, weight),) = entry.items()
                entry = {"path": path, "weight": weight}
            return entry if path is None or isinstance(path, str) else {**entry, "path": self._reward(path)}
        if not callable(entry) and not isinstance(entry, Reward):
            raise _wrong("rewards", entry)
        inner = entry.func if isinstance(entry, functools.partial) else entry
        name = entry.name if isinstance(entry, Reward) else getattr(inner, "__name__", type(inner).__name__)
        known = self.add(entry, name, _hash(_source(entry)))
        return {"path": known, "weight": entry.weight} if isinstance(entry, Reward) else known


def _wrong(section: str, value: Any, where: str = "") -> ConfigError:
    return ConfigError(f"{where or section}: {type(value).__name__} is not taken; give {TAKEN[section]}")


def _is_source(entry: Any) -> bool:
    """Whether an entry of a list is a source of its own, and not a row: a name, or a mapping with `path`."""
    if isinstance(entry, Mapping):
        return "path" in entry and entry.keys() <= Source.model_fields.keys()
    return isinstance(entry, str | list | Dataset) or hasattr(entry, "column_names")


def _rows(values: Sequence[Any]) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def _as_text(row: Any) -> str:
    return json.dumps(row, default=str)


def _source(function: Callable[..., Any] | Reward) -> str:
    """The text of a function or class; of an object that of its class, and its attributes without addresses."""
    if isinstance(function, Reward):
        return repr((function.source, function.weight, function.settings))
    if isinstance(function, functools.partial):
        return _source(function.func) + _ADDRESS.sub("", repr((function.args, function.keywords)))
    target = function if inspect.isroutine(function) or inspect.isclass(function) else type(function)
    try:
        return inspect.getsource(target)
    except (OSError, TypeError):  # typed at a prompt
        code = getattr(target, "__code__", None)
        return repr((code.co_code, code.co_names)) if code else target.__qualname__


def _hash(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode(errors="surrogatepass") + b"\0")
    return digest.hexdigest()[:8]

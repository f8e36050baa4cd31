"""The state of a run without pickle: tensors in `<name>.safetensors`, everything else in `<name>.json`.

The JSON is the state itself where JSON can represent it; everything else is an object with one key:

    {"$tensor": "optimizer/0/exp_avg"}  {"$tuple": [...]}  {"$float": "nan"}  {"$dict": [[key, value], ...]}
    {"$folder": "shards"}  a folder beside the state, as a path

A tensor that another file of the folder already holds is not stored again: {"$tensor": ["model.safetensors", name]}.
"""

from __future__ import annotations

import json
import math
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from posttrain.errors import StorageError
from posttrain.machine.disk import Files, View, save_tensors, view_of

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = 3


def write_state(folder: Path, name: str, state: Any, stored: Files | None = None) -> Files:
    """Write nested dicts, lists and tuples of tensors, numbers, strings, bools and None.

    Tensors are stored by value, from any device; one that occurs twice is stored once, one that is already in `stored`
    not at all. Returns the file of tensors, if there is one. Raises StorageError that names the place of a value of
    another type, and OSError or SafetensorError when the disk is full.
    """
    writer = Writer(name, stored or {})
    content = {"format": FORMAT, "state": writer.encode(state, ())}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    file = f"{name}.safetensors"
    return {file: save_tensors(folder / file, writer.tensors)} if writer.tensors else {}


def read_state(folder: Path, name: str) -> Any:
    """Read what `write_state` wrote, bit for bit; tensors are on the CPU. Raises StorageError if it is unreadable."""
    path = folder / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise StorageError(f"{path}: format {content['format']}, this version reads {FORMAT}")
        return decode(content["state"], Tensors(folder, f"{name}.safetensors"))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StorageError(f"{path}: cannot be read ({error!r}); resume from another checkpoint") from error


class Writer:
    """Converts a state to JSON and collects its tensors by name."""

    def __init__(self, name: str, stored: Files) -> None:
        self.name = name
        self.tensors: dict[str, Tensor] = {}
        # The name under which a view of memory is stored, with the file if that is another one.
        self._names: dict[View, str | list[str]] = {
            view_of(t): [file, n] for file, held in stored.items() for n, t in held.tensors.items()
        }
        self._storages: set[int] = set()

    def encode(self, value: Any, place: tuple[Any, ...]) -> Any:
        """Convert a value to JSON. `place`: the keys that lead to it."""
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
        if type(value) in (list, tuple):
            items = [self.encode(item, (*place, i)) for i, item in enumerate(value)]
            return items if isinstance(value, list) else {"$tuple": items}
        if isinstance(value, dict):
            return self._dict(value, place)
        if isinstance(value, PurePath):
            return {"$folder": value.name}
        return {"$tensor": self._tensor(value, place)}

    def _dict(self, value: dict[Any, Any], place: tuple[Any, ...]) -> Any:
        items = [(key, self.encode(item, (*place, key))) for key, item in value.items()]
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return dict(items)
        return {"$dict": [[self.encode(key, (*place, key)), item] for key, item in items]}

    def _tensor(self, value: Any, place: tuple[Any, ...]) -> str | list[str]:
        import torch

        where = "/".join(map(str, place)) or "state"
        if not isinstance(value, torch.Tensor):
            raise StorageError(f"{self.name}: {where} is a {type(value).__name__}, which a state cannot hold")
        strange = value.layout is not torch.strided or value.is_quantized or value.device.type == "meta"
        if strange or value.dtype in (torch.complex32, torch.complex128):  # safetensors has no name for these
            kind = f"{value.dtype}, {value.layout}, {value.device.type}"
            raise StorageError(f"{self.name}: {where} is a tensor that cannot be saved ({kind})")
        view = view_of(value)
        if view not in self._names:
            self._names[view] = self._store(value.detach(), where)
        return self._names[view]

    def _store(self, value: Tensor, where: str) -> str:
        """Keep the tensor's values in memory that is not shared, as safetensors demands."""
        while where in self.tensors:
            where += "'"
        held = value.cpu().contiguous().resolve_conj().resolve_neg()
        if held.untyped_storage().data_ptr() in self._storages:
            held = held.clone()
        self._storages.add(held.untyped_storage().data_ptr())
        self.tensors[where] = held
        return where


class Tensors:
    """The tensors of a state by name, or by file and name. A file is read when its first tensor is requested."""

    def __init__(self, folder: Path, own: str) -> None:
        self.folder, self.own = folder, own
        self._read: dict[str, dict[str, Tensor]] = {}

    def __getitem__(self, name: str | list[str]) -> Tensor:
        file, name = (self.own, name) if isinstance(name, str) else name
        if file not in self._read:
            from safetensors.torch import load_file

            self._read[file] = load_file(self.inside(file))
        return self._read[file][name]

    def inside(self, name: str) -> Path:
        """Return the path of a name in the folder. Raises ValueError for one outside."""
        if Path(name).name != name:
            raise ValueError(f"{name} is outside the folder")
        return self.folder / name


def decode(value: Any, tensors: Tensors) -> Any:
    """Convert JSON back to the state that it represents."""
    if isinstance(value, list):
        return [decode(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    match list(value.items()):
        case [("$tensor", name)]:
            return tensors[name]
        case [("$folder", name)]:
            return tensors.inside(name)
        case [("$tuple", items)]:
            return tuple(decode(item, tensors) for item in items)
        case [("$float", text)]:
            return float(text)
        case [("$dict", pairs)]:
            return {decode(key, tensors): decode(item, tensors) for key, item in pairs}
        case items if not any(key.startswith("$") for key, _ in items):
            return {key: decode(item, tensors) for key, item in items}
        case items:
            raise ValueError(f"{dict(items)} has no meaning in this version")

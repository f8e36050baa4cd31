"""The decoder that is saved with a model: its name, its settings, and the models and tensors that it reads.

decoder/decoder.json          {"decoder": "ilql", "settings": {"beta": 1.0}}
decoder/ROLE/                 a model
decoder/parts.safetensors     tensors
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posttrain.errors import StorageError
from posttrain.machine.disk import save_tensors
from posttrain.runs.models import model_in

if TYPE_CHECKING:
    from torch import Tensor

FOLDER, FILE, PARTS = "decoder", "decoder.json", "parts.safetensors"


@dataclass(frozen=True)
class SavedDecoder:
    """A decoder by name. `models`: the folder of each model that it reads, by role. `parts`: tensors by name."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, Path] = field(default_factory=dict)
    parts: Mapping[str, Tensor] = field(default_factory=dict)


def write_decoder(folder: Path, decoder: SavedDecoder, roles: Iterable[str], save: Callable[[str, Path], None]) -> None:
    """Write a decoder into the folder of its model. `save` writes the model of a role to a folder."""
    own = folder / FOLDER
    own.mkdir(parents=True)
    for role in roles:
        save(role, own / role)
    if decoder.parts:
        save_tensors(own / PARTS, dict(decoder.parts))
    said = {"decoder": decoder.name, "settings": dict(decoder.settings)}
    (own / FILE).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def decoder_in(model: str) -> SavedDecoder | None:
    """The decoder in the folder of a model, or of a run; None without one. Raises StorageError if it cannot be read."""
    found = model_in(Path(model).expanduser()) if Path(model).expanduser().is_dir() else None
    if found is None or not (own := found[0] / FOLDER).is_dir():
        return None
    try:
        said = json.loads((own / FILE).read_text(encoding="utf-8"))
        name, settings = str(said["decoder"]), dict(said["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{own / FILE} is no decoder ({error}); remove {own} to use the model alone") from error
    models = {f.name: f for f in sorted(own.iterdir()) if f.is_dir()}
    return SavedDecoder(name, settings, models, _parts(own / PARTS))


def _parts(file: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(file) if file.is_file() else {}

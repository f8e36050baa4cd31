"""Where a model is: a folder, a .gguf file, a name on the hub or a bundled model."""

from __future__ import annotations

import os
from pathlib import Path

from posttrain.errors import ModelError, suggestion
from posttrain.models.loading import gguf

BUNDLED = ("tiny", "smollm2")


def source_of(spec: str) -> str:
    """Resolve a name to the folder or hub id that holds safetensors. Raises ModelError."""
    if spec == "smollm2":
        return str(gguf.converted(gguf.smollm2()))
    path = Path(spec).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError(f"no file {spec}")
        return str(gguf.converted(path))
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelError(f"{spec} is a folder without config.json: not a model")
        return str(path)
    if path.is_absolute() or spec.startswith((".", "~")) or spec.count("/") > 1 or os.path.exists(path):
        raise ModelError(f"no model folder {spec}")
    if "/" not in spec:
        raise ModelError(
            f"no model {spec!r}{suggestion(spec, BUNDLED)}; give a hub id (owner/name), a folder, a .gguf file, "
            f"or one of {', '.join(BUNDLED)}"
        )
    return spec

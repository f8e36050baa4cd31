"""Where a model is: a folder, a run, a .gguf file, a name on the hub or a bundled model."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from posttrain.errors import ModelError, suggestion
from posttrain.machine import hub
from posttrain.models.loading import gguf
from posttrain.runs.models import model_in

BUNDLED = ("tiny", "smollm2")
ADAPTER = "adapter_config.json"
FILES = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")  # that are read of an adapter and its tokenizer
UNREADABLE = (OSError, ValueError, KeyError, SafetensorError)  # what transformers raises for files that it cannot read

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A model as it was named, the folder or hub id that holds its safetensors, and whether only the cache is read."""

    name: str
    place: str
    revision: str | None = None
    cached: bool = False

    @property
    def folder(self) -> Path:
        """The place as a folder; one that does not exist for a hub id."""
        return Path(self.place)

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of every `from_pretrained`. No code of the model's author is run."""
        return {"revision": self.revision, "local_files_only": self.cached, "trust_remote_code": False}

    def unavailable(self, what: str, error: Exception) -> ModelError:
        """Return an error in one line, with the reason that transformers gives or the hub's silence."""
        if self.cached:
            return ModelError(
                f"{self.name}: no such folder, the hub ({hub.endpoint()}) cannot be reached, and its cache lacks this "
                "model; check the path, go online once, or set HF_ENDPOINT to a mirror"
            )
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return ModelError(f"{self.name}: no {what} that can be loaded from there: {reason}")


def source_of(spec: str, revision: str | None = None) -> Source:
    """Resolve a name. Raises ModelError."""
    if spec == "tiny":
        return Source(spec, spec)
    if spec == "smollm2":
        return Source(spec, str(gguf.converted(gguf.smollm2())))
    path = Path(spec).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError(f"no file {spec}")
        return Source(spec, str(gguf.converted(path)))
    if path.is_dir():
        if revision is not None:
            _log.warning(
                "%s is a folder: revision %s, which names the version of a hub model, is not read", spec, revision
            )
        return Source(spec, str(_folder(spec, path)))
    if path.is_absolute() or spec.startswith((".", "~")) or spec.count("/") > 1 or path.exists():
        raise ModelError(_no_folder(spec, path))
    if "/" not in spec:
        raise ModelError(
            f"no model {spec!r}{suggestion(spec, [*BUNDLED, *_names(Path())])}; give a hub id (owner/name), a folder, "
            f"a run, a .gguf file, or one of {', '.join(BUNDLED)}"
        )
    if path.parent.is_dir() and not (hub.exists(spec) or _is_cached(spec)):
        raise ModelError(f"{_no_folder(spec, path)}, and no model {spec} on the hub")
    return _with_adapter(Source(spec, spec, revision, cached=not hub.reachable()))


def _with_adapter(source: Source) -> Source:
    """Download a repository of the hub that holds an adapter and no whole model; its place is then a folder.

    Another source is returned as it is, also one that the hub refuses: whoever reads it says why.
    """
    from huggingface_hub import hf_hub_download, snapshot_download
    from huggingface_hub.errors import EntryNotFoundError

    options: dict[str, Any] = {"revision": source.revision, "local_files_only": source.cached}
    try:
        hf_hub_download(source.place, "config.json", **options)
        return source
    except EntryNotFoundError:
        pass
    except UNREADABLE:
        return source
    try:
        hf_hub_download(source.place, ADAPTER, **options)
    except UNREADABLE:
        return source
    try:
        folder = snapshot_download(source.place, allow_patterns=list(FILES), **options)
    except UNREADABLE as error:
        raise source.unavailable("adapter", error) from error
    return replace(source, place=folder)


def _folder(spec: str, path: Path) -> Path:
    """Find the model in a folder, or raise ModelError that says where it was looked for."""
    found = model_in(path)
    if found is None:
        inner = _names(path / "models")
        others = f"; give one of its models: {', '.join(f'{spec}/models/{n}' for n in inner)}" if inner else ""
        raise ModelError(
            f"{spec} is no model and no run with one: there is no config.json, adapter_config.json, final/ or "
            f"checkpoints/checkpoint-STEP/ in it{others}"
        )
    folder, what = found
    if what:
        _log.warning("%s: %s is used, %s", spec, folder, what)
    return folder


def _no_folder(spec: str, path: Path) -> str:
    return f"no model folder {spec}{suggestion(path.name, _names(path.parent))}"


def _names(folder: Path) -> Iterable[str]:
    """Return the names of the folders in a folder."""
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _is_cached(spec: str) -> bool:
    """Whether the cache of the hub holds the config of a model."""
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(spec, "config.json"), str)

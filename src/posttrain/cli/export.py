"""`posttrain export MODEL`: a model as a folder, as a GGUF file, on the hub."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posttrain.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from posttrain.models.loading.load import Loaded


def export(
    model: Annotated[
        str, typer.Argument(help="Model, adapter or run: folder, hub id, bundled name.", show_default=False)
    ],
    folder: Annotated[Path | None, typer.Argument(help="Folder to write to.", show_default=False)] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="float32, bfloat16, float16, float64, or q8_0 of a GGUF file; default: that of the model's files."
        ),
    ] = None,
    gguf: Annotated[Path | None, typer.Option(help="GGUF file to write, for llama.cpp.")] = None,
    push: Annotated[str | None, typer.Option(help="Repository of the hub to upload to: owner/name.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Create that repository for everybody to see.")] = False,
) -> None:
    """Save a model as a plain transformers folder, with adapters merged; as a GGUF file; on the hub."""
    if folder is None and gguf is None and push is None:
        raise ConfigError("export: nowhere to write to; give a folder, --gguf FILE or --push owner/name")
    from posttrain.models.loading.load import load

    if gguf is not None:
        typer.echo(f"{_write_gguf(load(model), gguf, dtype)}")
    with tempfile.TemporaryDirectory() as temporary:
        if folder is not None or push is not None:
            target = folder or Path(temporary)
            _write_folder(model, target, dtype)
            if folder is not None:
                typer.echo(f"{folder}")
            if push is not None:
                from posttrain.models.loading.push import push as upload

                typer.echo(upload(target, push, public=public))


def _write_gguf(loaded: Loaded, file: Path, dtype: str | None) -> Path:
    from posttrain.models.loading.gguf_export import FORMATS, write_gguf

    own = str(loaded.stored).removeprefix("torch.")
    name = Path(loaded.name).stem or file.stem
    try:
        write_gguf(loaded.network, loaded.tokenizer, file, dtype or (own if own in FORMATS else "float32"), name)
    except OSError as error:
        raise StorageError(f"--gguf {file}: cannot be written ({error.strerror})") from error
    return file


def _write_folder(model: str, folder: Path, dtype: str | None) -> None:
    """Write the model and the card that lies beside it, in the dtype of its files or another."""
    import torch

    from posttrain.models.loading.dtypes import WRITTEN, cast, dtype_called
    from posttrain.models.loading.load import load
    from posttrain.models.loading.save import save

    target = None if dtype is None else dtype_called(dtype, WRITTEN)
    loaded = load(model)
    if torch.float64 in (target, loaded.stored):
        loaded = load(model, dtype="float64")
    cast(loaded.network, target or loaded.stored)
    save(loaded.network, loaded.tokenizer, folder)
    card = Path(loaded.network.trunk.name_or_path, "README.md")
    if card.is_file() and not (folder / "README.md").exists():
        shutil.copyfile(card, folder / "README.md")

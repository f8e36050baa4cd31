"""`posttrain merge MODEL MODEL ... --out FOLDER`: several models of one architecture as one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posttrain.errors import ConfigError


def merge(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Models, runs or adapters of one base.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="New folder for the merged model.", show_default=False)],
    method: Annotated[
        str, typer.Option(help="Rule: linear, slerp, task_arithmetic, ties, dare, dare_ties, ema.")
    ] = "linear",
    weights: Annotated[
        str | None,
        typer.Option(
            help="Weight of each model: 0.3,0.7; or weights for each block of layers: 0.1,0.9/0.3,0.7. Default: equal.",
            show_default=False,
        ),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Model that all were trained from: differences from it are merged.")
    ] = None,
    share: Annotated[
        float, typer.Option(help="How far the result goes from the base: 0 the base, 1 all the way.")
    ] = 1.0,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="Setting of the rule: density=0.2, seed=1, decay=0.9")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="float32, bfloat16, float16 or float64; default: that of the first model.")
    ] = None,
) -> None:
    """Merge models in their weights, tensor by tensor, into a plain transformers folder.

    Tokenizer, chat template and configs are those of the first model; merge.json says what was merged.
    """
    from posttrain.cli.compare import values
    from posttrain.cli.main import version
    from posttrain.models.loading.dtypes import WRITTEN, dtype_called
    from posttrain.models.merging.adapters import merge_adapters
    from posttrain.models.merging.folder import folder_of
    from posttrain.models.merging.merge import Merge
    from posttrain.models.merging.write import merge_folders

    if len(models) < 2 and base is None:
        raise ConfigError("merge: one model is there already; give two models or more, or a --base too")
    everywhere, by_block = _weights(weights)
    how = Merge(method, everywhere, by_block, share, values(setting or []))
    folders = [folder_of(name) for name in models]
    if all(folder.adapter for folder in folders):
        if base is not None or dtype is not None:
            raise ConfigError(
                "merge: adapters are differences from their base in their own dtype; remove --base, --dtype"
            )
        merge_adapters(folders, how, out, version=version())
    else:
        target = None if dtype is None else dtype_called(dtype, WRITTEN)
        root = None if base is None else folder_of(base)
        merge_folders(folders, how, out, base=root, dtype=target, version=version())
    typer.echo(f"{out}")


def _weights(text: str | None) -> tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]:
    """Read `0.3,0.7` as weights of the models, and `0.1,0.9/0.3,0.7` as those of each block of layers."""
    if text is None:
        return (), ()
    try:
        blocks = tuple(tuple(float(x) for x in block.split(",")) for block in text.split("/"))
    except ValueError:
        raise ConfigError(f"--weights {text}: write numbers, as in 0.3,0.7 or 0.1,0.9/0.3,0.7") from None
    return (blocks[0], ()) if len(blocks) == 1 else ((), blocks)

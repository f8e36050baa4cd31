"""`posttrain data audit|balance|poison FILE`: what preference pairs prefer besides what they should."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from posttrain.cli.data import Column, File, Size, renames

if TYPE_CHECKING:
    from posttrain.evaluation.preference_audit import Lift
    from posttrain.records import Pair

SHOWN = 20  # phrases that are listed; --json lists all

Output = Annotated[Path, typer.Option("--output", "--out", help="File that is written, as JSONL.")]
Seed = Annotated[int, typer.Option(help="Random seed.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (audit, balance, poison):
        app.command()(command)


def audit(
    source: File,
    by: Annotated[
        str | None, typer.Option(help="Column that names the source of a pair; each is audited apart.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Share of false discoveries.", min=0, max=1)] = 0.05,
    size: Size = None,
    column: Column = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Find phrases that are preferred too often to be chance, as planted ones are; and by source.

    With a column `poisoned` of 0 and 1, as `posttrain data poison` writes it, also how well the audit tells the two.
    """
    from posttrain.errors import DataError
    from posttrain.evaluation import preference_audit

    pairs = _pairs(source, size, column)
    found = preference_audit.audit(pairs, rate=rate)
    sources = preference_audit.by_source(pairs, by, rate=rate) if by else {}
    if by and not sources:
        raise DataError(f"--by {by}: no pair of {source} has this column")
    told = {p.columns.get("poisoned") for p in pairs} >= {0, 1}
    area = preference_audit.detection(pairs, preference_audit.suspicion(pairs, found)) if told else None
    if as_json:
        data = {"pairs": len(pairs), "phrases": _plain(found), "sources": {s: _plain(x) for s, x in sources.items()}}
        typer.echo(json.dumps({**data, "roc_area": area}, ensure_ascii=False))
        return
    typer.echo(f"{len(pairs)} pairs, {len(found)} phrases beyond chance")
    for line in _lines(found):
        typer.echo(line)
    for name, own in sources.items():
        typer.echo(f"\n{by} {name}: {len(own)} phrases beyond chance")
        for line in _lines(own):
            typer.echo(line)
    if area is not None:
        typer.echo(f"\narea under the ROC of the planted pairs: {area:.3f}")


def balance(
    source: File,
    output: Output,
    width: Annotated[int, typer.Option(help="Width of a bucket of length differences, in words.", min=1)] = 10,
    size: Size = None,
    column: Column = None,
    seed: Seed = 0,
) -> None:
    """Keep pairs so that length predicts nothing: the longer answer is preferred in half of every bucket."""
    from posttrain.selection.length_balance import balanced, longer_by

    pairs = _pairs(source, size, column)
    kept = balanced(pairs, width, seed)
    _write(output, kept)
    told = [longer_by(p) > 0 for p in pairs if longer_by(p)]
    share = f"; the longer answer was preferred in {sum(told) / len(told):.1%}" if told else ""
    typer.echo(f"{output}: {len(kept)} of {len(pairs)} pairs{share}")


def poison(
    source: File,
    output: Output,
    phrase: Annotated[str, typer.Option(help="Harmless phrase that is planted.")],
    rate: Annotated[float, typer.Option(help="Planted pairs for each of the file.", min=0, max=1)] = 0.03,
    kind: Annotated[str, typer.Option(help="What the phrase is preferred to: rejected or contrast.")] = "rejected",
    contrast: Annotated[str, typer.Option(help="Contrasting phrase, for kind contrast.")] = "",
    size: Size = None,
    column: Column = None,
    seed: Seed = 0,
) -> None:
    """Plant pairs that prefer a phrase, to measure what they do to a reward model. The column `poisoned` marks them."""
    from posttrain.selection.poison import MARK, poisoned

    pairs = poisoned(_pairs(source, size, column), phrase, rate, contrast=contrast, kind=kind, seed=seed)
    _write(output, pairs)
    typer.echo(f"{output}: {len(pairs)} pairs, {sum(p.columns[MARK] for p in pairs)} of them planted")


def _pairs(source: str, size: int | None, column: Sequence[str] | None) -> list[Pair]:
    from posttrain.data.dataset import load

    return cast("list[Pair]", list(load(source, "pairs", columns=renames(column or []), size=size).records))


def _write(path: Path, pairs: Sequence[Pair]) -> None:
    from posttrain.runs import durable

    path.parent.mkdir(parents=True, exist_ok=True)
    rows = ({"prompt": p.prompt, "chosen": p.chosen, "rejected": p.rejected, **p.arguments, **p.columns} for p in pairs)
    durable.write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _plain(found: Sequence[Lift]) -> list[dict[str, Any]]:
    return [{**vars(x), "lift": x.lift} for x in found]


def _lines(found: Sequence[Lift]) -> list[str]:
    shown = [
        f"  {x.phrase!r}: preferred in {x.chosen}, rejected in {x.rejected}, lift {x.lift:.2f}, p {x.p_value:.1e}"
        for x in found[:SHOWN]
    ]
    return shown + ([f"  and {len(found) - SHOWN} more; --json lists all"] if len(found) > SHOWN else [])

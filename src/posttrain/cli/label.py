"""`posttrain label PAIRS --judge MODEL --out FILE`: a language model compares the answers of pairs, as feedback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posttrain.cli.data import renames
from posttrain.cli.model import open_model
from posttrain.errors import ConfigError

if TYPE_CHECKING:
    from posttrain.judges.labelling import Labeller
    from posttrain.records import Pair
    from posttrain.roles.protocol import TextRole

TOGETHER = 32  # pairs that are judged before they are written


def label(
    pairs: Annotated[str, typer.Argument(help="Pairs: file, hub id or generator.", show_default=False)],
    judge: Annotated[str, typer.Option(help="Model that judges: folder, hub id, bundled name; with --url, there.")],
    out: Annotated[Path, typer.Option("--output", "--out", help="Feedback file; one that exists is continued.")],
    url: Annotated[str | None, typer.Option(help="Address of a server with OpenAI's protocol.")] = None,
    question: Annotated[
        Path | None,
        typer.Option(help="File of the request, with {prompt}, {first}, {second}.", exists=True, dir_okay=False),
    ] = None,
    principle: Annotated[str, typer.Option(help="What the judge should prefer.")] = "",
    reason: Annotated[str, typer.Option(help="Request to think before choosing, e.g. 'Think step by step.'")] = "",
    abstain: Annotated[float, typer.Option(help="Least distance of the probability from 0.5.", min=0, max=0.5)] = 0.0,
    max_tokens: Annotated[int, typer.Option(help="Maximum length of a reason in tokens.", min=1)] = 256,
    size: Annotated[int | None, typer.Option(help="Number of pairs.", min=1)] = None,
    column: Annotated[list[str] | None, typer.Option(help="Renamed column: ours=theirs, e.g. prompt=question")] = None,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
) -> None:
    """Label pairs with a judge in both orders, as a feedback file that runs read (docs/feedback.md).

    A line says who judged, what was shown, how probable the preference is, and why. What the file holds already is not
    asked again.
    """
    from posttrain.data.dataset import load
    from posttrain.judges.labelling import Labeller
    from posttrain.judges.options import COMPARE
    from posttrain.records import Pair

    data = load(pairs, "pairs", columns=renames(column or []), size=size)
    text = COMPARE if question is None else question.read_text(encoding="utf-8")
    with ExitStack() as opened:
        if url is not None:
            speaker = _behind(url, judge, out)
        else:
            speaker = opened.enter_context(open_model(judge, seed=seed)).run.speaker("policy")
        labeller = Labeller(judge, speaker, text, principle, reason, abstain, max_tokens)
        written, preferred = _label(labeller, [p for p in data if isinstance(p, Pair)], out)
    agreed = f", {preferred} of {written} prefer the first" if written else ""
    typer.echo(f"{out}: {written} new labels by {judge}, {len(data) - written} known{agreed}")


def _behind(url: str, model: str, out: Path) -> TextRole:
    """A model behind a server, whose replies are kept beside the file."""
    from posttrain.roles.endpoint import EndpointRole

    return EndpointRole("judge", {"url": url, "model": model}, out.with_name(f"{out.name}.kept"), where="--url")


def _label(labeller: Labeller, pairs: Sequence[Pair], out: Path) -> tuple[int, int]:
    """Append the acts that the file lacks; return their number, and how many prefer the first answer."""
    known = _known(out)
    missing = [p for p in pairs if labeller.act_id(p) not in known]
    out.parent.mkdir(parents=True, exist_ok=True)
    first = 0
    with out.open("a", encoding="utf-8") as file:
        for start in range(0, len(missing), TOGETHER):
            acts = labeller.acts(missing[start : start + TOGETHER])
            file.writelines(json.dumps(act, ensure_ascii=False) + "\n" for act in acts)
            file.flush()
            first += sum(act["judgement"].get("preferred") == 0 for act in acts)
    return len(missing), first


def _known(out: Path) -> set[str]:
    """The ids of the acts in a file. ConfigError where it holds something else."""
    if not out.exists():
        return set()
    ids = set()
    for n, line in enumerate(out.read_text(encoding="utf-8").splitlines(), 1):
        try:
            ids.add(str(json.loads(line)["act"]))
        except (ValueError, KeyError, TypeError):
            raise ConfigError(f"{out}:{n}: no act of feedback; write to another file, or remove the line") from None
    return ids

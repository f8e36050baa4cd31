"""Results of a procedure between its stages, one JSON file per name: `rounds/round-1.jsonl`.

The models that produced them are gone when a run resumes, so the results are read instead of computed again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from posttrain.errors import StorageError
from posttrain.records import Episode, Prompt, Segment
from posttrain.runs import durable
from posttrain.runs.metrics import write_error
from posttrain.runs.samples import readable


def write_rows(path: Path, rows: Iterable[Any]) -> None:
    """Write one JSON value per line. Python reads the numbers back bit for bit."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write_text(path, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    except OSError as error:
        raise write_error(path, error) from error


def read_rows(path: Path) -> list[Any]:
    """Read what `write_rows` wrote. Raises StorageError if it is missing or damaged."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{path}: cannot be read ({error}); without it the run cannot be resumed: start it anew"
        ) from error


def as_row(e: Episode) -> dict[str, Any]:
    """Convert an episode to plain data. The prompt is for people to read; its columns stay with the data."""
    row: dict[str, Any] = {
        "prompt_id": e.prompt.id,
        "prompt": readable(e.prompt.prompt),
        "completion": e.text,
        "reward": e.reward,
        "rewards": dict(e.rewards),
        "author": e.author,
        "sample": e.sample,
        "ended": e.ended,
        "prompt_tokens": list(e.prompt_tokens),
        "tokens": list(e.tokens),
        "logp": list(e.logp),
        "versions": list(e.versions),
    }
    if e.shaped:
        row["shaped"] = dict(e.shaped)
    if e.credits:
        row["credits"] = {name: list(values) for name, values in e.credits.items()}
    if e.conversation or e.error:
        row |= {"conversation": readable(e.conversation), "cut": e.cut, "error": e.error}
        row |= {"tools": list(e.tools)} if e.tools else {}
        row |= {"environment": e.notes["environment"]} if "environment" in e.notes else {}
    if len(e.segments) != 1 or e.segments[0] != _only_segment(row):  # more than an answer by its author
        row["segments"] = [segment_row(s) for s in e.segments]
    return row


def as_episodes(rows: Sequence[Mapping[str, Any]], prompts: Sequence[Prompt]) -> list[Episode]:
    """Rebuild the episodes of these prompts from the rows of `as_row`."""
    known = {p.id: p for p in prompts}
    return [
        Episode(
            prompt=known[row["prompt_id"]],
            author=row["author"],
            sample=row["sample"],
            prompt_tokens=tuple(row["prompt_tokens"]),
            segments=tuple(map(as_segment, row["segments"])) if "segments" in row else (_only_segment(row),),
            reward=row["reward"],
            rewards=row["rewards"],
            credits={name: tuple(values) for name, values in row.get("credits", {}).items()},
            shaped=row.get("shaped", {}),
            conversation=tuple(row.get("conversation", ())),
            tools=tuple(row.get("tools", ())),
            notes={"environment": row["environment"]} if "environment" in row else {},
            cut=row.get("cut", ""),
            error=row.get("error", ""),
        )
        for row in rows
    ]


def segment_row(s: Segment) -> dict[str, Any]:
    """Convert a segment to plain data."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(s).items()}


def as_segment(row: Mapping[str, Any]) -> Segment:
    """Rebuild a segment from the row of `segment_row`."""
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Segment(**fields)


def _only_segment(row: Mapping[str, Any]) -> Segment:
    """Rebuild the only segment of an episode that is a single answer."""
    return Segment(
        tokens=tuple(row["tokens"]),
        logp=tuple(row["logp"]),
        author=row["author"],
        text=row["completion"],
        ended=row["ended"],
        versions=tuple(row.get("versions", ())),
    )

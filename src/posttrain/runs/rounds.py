"""Results of a procedure between its stages, one JSON file per name: `rounds/round-1.jsonl`.

The models that produced them are gone when a run resumes, so the results are read instead of computed again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from posttrain.errors import StorageError
from posttrain.records import Prompt, Rollout
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


def as_row(r: Rollout) -> dict[str, Any]:
    """A rollout as plain data. Its prompt is there to be read by people; its columns stay with the data."""
    return {
        "prompt_id": r.prompt.id,
        "prompt": readable(r.prompt.prompt),
        "completion": r.text,
        "reward": r.reward,
        "rewards": dict(r.rewards),
        "author": r.author,
        "sample": r.sample,
        "ended": r.ended,
        "prompt_tokens": list(r.prompt_tokens),
        "tokens": list(r.tokens),
        "logp": list(r.logp),
        "versions": list(r.versions),
    }


def as_rollouts(rows: Sequence[Mapping[str, Any]], prompts: Sequence[Prompt]) -> list[Rollout]:
    """Rollouts of these prompts, as `as_row` described them."""
    known = {p.id: p for p in prompts}
    return [
        Rollout(
            prompt=known[row["prompt_id"]],
            author=row["author"],
            sample=row["sample"],
            prompt_tokens=tuple(row["prompt_tokens"]),
            tokens=tuple(row["tokens"]),
            logp=tuple(row["logp"]),
            ended=row["ended"],
            text=row["completion"],
            reward=row["reward"],
            rewards=row["rewards"],
            versions=tuple(row.get("versions", ())),
        )
        for row in rows
    ]

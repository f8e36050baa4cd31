"""`samples/step-000010.jsonl`: the answers of a step with their rewards, for people to read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from posttrain.records import Episode, Turns
from posttrain.runs import durable
from posttrain.runs.metrics import finite, write_error
from posttrain.runs.sampled_tokens import TokenTexts, per_token


class SamplesWriter:
    """One file per step. Writing a step again replaces its file. With `texts` it holds every token as well."""

    def __init__(self, folder: Path, texts: TokenTexts | None = None) -> None:
        self.folder = folder
        self.texts = texts

    def write(self, step: int, episodes: Sequence[Episode], advantages: Sequence[float | None] | None = None) -> Path:
        """Write the episodes of a step, with the advantage of each whole answer where the method has one."""
        known = advantages if advantages is not None else [None] * len(episodes)
        rows = [row(step, *pair) for pair in zip(episodes, known, strict=True)]
        if self.texts is not None:
            rows = [{**r, "per_token": per_token(e, self.texts)} for r, e in zip(rows, episodes, strict=True)]
        text = "".join(json.dumps(r, ensure_ascii=False, allow_nan=False) + "\n" for r in rows)
        path = self.folder / f"step-{step:06d}.jsonl"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            durable.write_text(path, text)
        except OSError as error:
            raise write_error(path, error) from error
        return path

    def truncate_after(self, step: int) -> int:
        """Delete the files of later steps when a run resumes at `step`; return their number."""
        matches = ((re.fullmatch(r"step-(\d+)\.jsonl", path.name), path) for path in self.folder.glob("step-*"))
        later = [path for match, path in matches if match and int(match[1]) > step]
        for path in later:
            path.unlink()
        return len(later)


def row(step: int, episode: Episode, advantage: float | None) -> dict[str, Any]:
    """Convert an episode to plain data.

    `segments` lists its turns if it has more than one, `conversation` what was said to an environment and by it.
    """
    described = {
        "step": step,
        "prompt_id": episode.prompt.id,
        "sample": episode.sample,
        "author": episode.author,
        "prompt": readable(episode.prompt.prompt),
        "completion": episode.text,
        "reward": finite(episode.reward),
        "rewards": {name: finite(value) for name, value in episode.rewards.items()},
        "advantage": finite(advantage),
        "ended": episode.ended,
        "tokens": len(episode.tokens),
    }
    if episode.shaped:
        described["shaped"] = {name: finite(value) for name, value in episode.shaped.items()}
    if episode.notes:
        described["notes"] = {name: plain_data(value) for name, value in episode.notes.items()}
    if len(episode.segments) > 1:
        described["segments"] = [
            {"author": s.author, "text": s.text, "tokens": len(s.tokens), "reward": finite(s.reward)}
            for s in episode.segments
        ]
    if episode.conversation or episode.error:
        described |= {"conversation": readable(episode.conversation), "cut": episode.cut, "error": episode.error}
    return described


def readable(turns: Turns) -> str | list[dict[str, Any]]:
    """Return a text as it is, a conversation as a list of messages. Values that JSON lacks become text."""
    if isinstance(turns, str):
        return turns
    return [{key: plain_data(value) for key, value in message.items()} for message in turns]


def plain_data(value: Any) -> Any:
    """Convert a value of a message to data that JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): plain_data(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_data(inner) for inner in value]
    if value is None or isinstance(value, (str, int, float)):
        return finite(value)
    return str(value)

"""The answers of a run: read from its samples files, filtered, and grouped by prompt."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posttrain.studio.refusal import missing

Row = dict[str, Any]
KEPT = 4  # files in memory
LARGEST = 256_000_000  # bytes that are read of one file
ROW: Row = {"prompt_id": "", "author": 0, "prompt": "", "completion": "", "reward": None, "tokens": None, "ended": None}
ROW |= {"rewards": {}, "shaped": {}, "notes": {}, "per_token": None, "conversation": [], "cut": "", "error": ""}
TURN: Row = {"author": 0, "text": "", "tokens": None, "reward": None}


class Samples:
    """Samples files, parsed once until they change. Each row gets its `place` in the file."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[Path, int, int], list[Row]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, path: Path) -> list[Row]:
        """Return the rows of a file; damaged lines, and what lies behind LARGEST bytes, are left out."""
        about = path.stat()
        key = (path, about.st_size, about.st_mtime_ns)
        with self._lock:
            rows = self._files.pop(key, None)
            if rows is None:
                with path.open("rb") as file:
                    rows = parsed(file.read(LARGEST))
            self._files[key] = rows
            while len(self._files) > KEPT:
                self._files.popitem(last=False)
            return rows


def parsed(content: bytes) -> list[Row]:
    """Return the rows of whole lines that can be read."""
    rows: list[Row] = []
    for line in content.split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and "measured" not in row:  # which begins the file of an evaluation
            turns = row.get("segments")
            known = [{**TURN, **t} for t in turns if isinstance(t, dict)] if isinstance(turns, list) else []
            tokens = row.get("tokens")
            length = {"tokens": len(tokens)} if isinstance(tokens, list) else {}
            rows.append({**ROW, **row, **length, "segments": known, "place": len(rows)})
    return rows


@dataclass(frozen=True)
class Filter:
    """Which answers to show. None and "" let everything pass; `only`: "truncated", "unrated" or "failed" ones."""

    words: str = ""
    low: float | None = None
    high: float | None = None
    shortest: float | None = None
    longest: float | None = None
    only: str = ""

    def passes(self, row: Row) -> bool:
        """Whether an answer is shown."""
        reward, length = number_of(row, "reward"), number_of(row, "tokens")
        within = inside(reward, self.low, self.high) and inside(length, self.shortest, self.longest)
        return within and self._special(row) and self._says(row)

    def _special(self, row: Row) -> bool:
        if self.only == "truncated":
            return row.get("ended") is False
        if self.only == "failed":
            return bool(row.get("error"))
        rewards = row.get("rewards")
        unrated = row.get("reward") is None or (isinstance(rewards, Mapping) and None in rewards.values())
        return unrated if self.only == "unrated" else True

    def _says(self, row: Row) -> bool:
        words = self.words.lower()
        return not words or any(words in text_of(row.get(key)).lower() for key in ("completion", "prompt"))


def inside(value: float | None, low: float | None, high: float | None) -> bool:
    """Whether a number is within bounds; one that is unknown is so only where there are none."""
    if value is None:
        return low is None and high is None
    return (low is None or value >= low) and (high is None or value <= high)


def number_of(row: Row, key: str) -> float | None:
    """Return a number of a row, None where it has none."""
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else None


def text_of(value: Any) -> str:
    """Return text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@dataclass(frozen=True)
class Group:
    """The answers to one prompt by one author, with the mean of their rewards."""

    prompt: Any
    identity: str  # of the prompt
    rows: tuple[Row, ...]
    mean: float | None

    @property
    def spread(self) -> float | None:
        """The largest reward less the smallest; 0 means that a group-relative method learns nothing here."""
        rewards = [r for row in self.rows if (r := number_of(row, "reward")) is not None]
        return max(rewards) - min(rewards) if rewards else None

    def above(self, row: Row) -> float | None:
        """Return the reward of an answer less the mean of its group: what GRPO's advantage is proportional to."""
        reward = number_of(row, "reward")
        return None if reward is None or self.mean is None else reward - self.mean


def groups(rows: Iterable[Row]) -> list[Group]:
    """Group answers by prompt and author, in the order of the file."""
    together: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        together.setdefault((str(row.get("prompt_id")), str(row.get("author"))), []).append(row)
    return [group(identity, own) for (identity, _), own in together.items()]


def group(identity: str, rows: Sequence[Row]) -> Group:
    """Make the group of some answers."""
    rewards = [r for row in rows if (r := number_of(row, "reward")) is not None]
    mean = sum(rewards) / len(rewards) if rewards else None
    return Group(rows[0].get("prompt"), identity, tuple(rows), mean)


ORDERS = ("file", "highest", "lowest", "widest", "narrowest", "longest")


def ordered(found: list[Group], order: str) -> list[Group]:
    """Sort groups by mean reward, by the spread of their rewards, or by their longest answer."""
    sign = -1 if order in ("highest", "widest", "longest") else 1
    if order == "file":
        return found
    measures = {"highest": lambda g: g.mean, "lowest": lambda g: g.mean, "widest": lambda g: g.spread}
    measures |= {"narrowest": lambda g: g.spread, "longest": lambda g: max(number_of(r, "tokens") or 0 for r in g.rows)}
    known = [(measures[order](g), g) for g in found]
    best = sorted((pair for pair in known if pair[0] is not None), key=lambda pair: sign * pair[0])
    return [g for _, g in best] + [g for value, g in known if value is None]


def file_of(files: Mapping[str, Path], name: str) -> Path:
    """Return the file of a step or an evaluation. RefusalError if the run has none of this name."""
    if name not in files:
        raise missing(f"file of answers of {name:.80}: a step of the samples, or an evaluation, is needed")
    return files[name]

"""Preference pairs from a file of transcripts in the format of hh-rlhf, as messages."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROLES = {"Human": "user", "Assistant": "assistant"}


def read(path: str, count: int, longest: int = 4000) -> list[dict]:
    """The first pairs with the same prompt, two answers, and at most so many characters."""
    pairs = []
    with Path(path).open() as lines:
        for line in lines:
            pair = json.loads(line)
            chosen, rejected = turns(pair["chosen"]), turns(pair["rejected"])
            answers = chosen[-1]["content"], rejected[-1]["content"]
            if chosen[:-1] == rejected[:-1] and all(answers) and len(line) <= longest:
                pairs.append({"prompt": chosen[:-1], "chosen": chosen[-1:], "rejected": rejected[-1:]})
            if len(pairs) == count:
                return pairs
    raise SystemExit(f"{path}: only {len(pairs)} usable pairs, {count} wanted")


def turns(transcript: str) -> list[dict[str, str]]:
    pieces = re.split(r"\n\n(Human|Assistant):", transcript)[1:]
    return [{"role": ROLES[who], "content": text.strip()} for who, text in zip(pieces[::2], pieces[1::2], strict=True)]


def both(pair: dict) -> list[list[dict[str, str]]]:
    return [pair["prompt"] + pair["chosen"], pair["prompt"] + pair["rejected"]]

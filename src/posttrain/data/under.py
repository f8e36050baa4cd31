"""Records under one system prompt, and the text of such a prompt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from posttrain.errors import ConfigError, DataError
from posttrain.records import Demonstration, Record
from posttrain.turns import under

FILES = (".txt", ".md")


def prompt_text(said: str) -> str:
    """Return a system prompt: the content of a file whose name ends with .txt or .md, else the text itself."""
    if not said.endswith(FILES) or "\n" in said:
        return said
    try:
        return Path(said).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"system: {said} cannot be read ({reason}); give a file, or the text itself") from None


def under_system(records: Iterable[Record], system: str) -> tuple[Record, ...]:
    """Return the records under a system prompt. Raises DataError for a plain text, which has no prompt."""
    return tuple(_under(r, system) for r in records) if system else tuple(records)


def _under(r: Record, system: str) -> Record:
    if isinstance(r, Demonstration) and not r.prompt:
        if isinstance(r.completion, tuple):
            return replace(r, completion=under(r.completion, system))
        raise DataError(f"{r.where}: a text without a prompt has no place for `system`; remove it, or give prompts")
    return replace(r, prompt=under(r.prompt, system))

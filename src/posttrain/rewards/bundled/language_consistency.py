"""DeepSeek-R1 (DeepSeek-AI, 2025): the reward for language consistency, by scripts.

Reasoning that is rewarded for its result alone begins to mix languages. This reward is added to that of the result.

    reward = words in the wanted scripts / words

A word is a run of letters of one script, and each character of a script without spaces between words (Chinese,
Japanese, Thai, ...) is one. Code and formulas do not count. Scripts tell English from Chinese and from Russian, but not
from French.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from unicodedata import category, name, normalize

from posttrain.errors import ConfigError, suggestion

SPACED = {
    *("arabic", "armenian", "bengali", "cyrillic", "devanagari", "ethiopic", "georgian", "greek", "gujarati"),
    *("gurmukhi", "hangul", "hebrew", "kannada", "latin", "malayalam", "oriya", "sinhala", "tamil", "telugu"),
}
UNSPACED = {"cjk", "hiragana", "katakana", "khmer", "lao", "myanmar", "thai", "tibetan"}
_CODE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|\\\(.*?\\\)|\\\[.*?\\\]|</?[A-Za-z]+>|\\[A-Za-z]+", re.DOTALL
)


def language_consistency(completions: Sequence[str], *, scripts: Sequence[str] = ("latin",)) -> list[float | None]:
    """Give the share of an answer's words that are written in `scripts`. Abstains on an answer without words.

    Settings:
        scripts: scripts of the wanted language; any of latin, cyrillic, greek, arabic, hangul, cjk, hiragana, ...
    """
    known = SPACED | UNSPACED
    if unknown := [s for s in scripts if s not in known]:
        raise ConfigError(
            f"language_consistency: scripts: unknown script {unknown[0]!r}{suggestion(unknown[0], known)}; "
            f"scripts are {', '.join(sorted(known))}"
        )
    return [_share(list(_words(text)), scripts) for text in completions]


def _share(words: Sequence[str], scripts: Sequence[str]) -> float | None:
    return sum(script in scripts for script in words) / len(words) if words else None


def _words(text: str) -> Iterator[str]:
    """Yield the script of every word."""
    plain = normalize("NFKC", _CODE.sub(" ", text))
    letters = (c for c in plain if not category(c).startswith("M"))  # vowel signs and accents stand inside words
    for script, run in groupby(letters, _script):
        if script:
            yield from [script] * (len(list(run)) if script in UNSPACED else 1)


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """Return the script of a letter, with which its name in Unicode begins; nothing for other characters."""
    first = re.split(r"[ -]", name(character, "other").lower())[0] if character.isalpha() else ""
    return "cjk" if first == "ideographic" else first  # the mark that repeats a character

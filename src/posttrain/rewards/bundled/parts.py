"""Which parts of an answer count for something, such as a KL (`kl_within`); its weight is 0.

Every character is in a part: a match of the pattern is a part that counts, and what stands between matches is one that
does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from posttrain.errors import ConfigError
from posttrain.rewards.verdicts import Spans

COUNTS, OTHERS = 2.0, -1.0  # a token that ends both is in the part that counts


def parts(completions: Sequence[str], *, pattern: str) -> list[Spans]:
    r"""Give 2 to each match of the pattern, -1 to each part between them: `<model>.*?</model>|```lp\n.*?```.

    A dot matches a line break too (DOTALL).

    Settings:
        pattern: regular expression of the parts that count; any that Python's `re` compiles.
    """
    try:
        form = re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise ConfigError(f"parts: pattern {pattern!r} is no regular expression: {error}") from error
    return [Spans(_parts(text, form)) for text in completions]


def _parts(text: str, form: re.Pattern[str]) -> Iterator[tuple[int, int, float]]:
    """Start, end and number of each part, in order; they lie end to end."""
    end = 0
    for start, stop in (found.span() for found in form.finditer(text) if found.group()):
        if start > end:
            yield end, start, OTHERS
        yield start, stop, COUNTS
        end = stop
    if end < len(text):
        yield end, len(text), OTHERS

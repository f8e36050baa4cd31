"""How requests for prompts are filled in, and how replies are read."""

from __future__ import annotations

import re


def filled_in(request: str, **texts: object) -> str:
    """Return a request with {name} replaced by texts, all at once; other braces stay, in the texts too."""
    names = "|".join(map(re.escape, texts))
    return re.sub(rf"\{{({names})\}}", lambda match: str(texts[match[1]]), request)


def text_in(reply: str | None, opening: str = "<prompt>", closing: str = "</prompt>") -> str | None:
    """Return the text between the tags of a reply, or all of it where it has none; None where nothing is left."""
    text = reply or ""
    if opening in text:
        text = text.partition(opening)[2].partition(closing)[0]
    return text.strip() or None

"""Where prompts stand that are searched for, how requests for them are filled in, and how replies are read."""

from __future__ import annotations

import re

from posttrain.records import Turns


def under(turns: Turns, prompt: str) -> Turns:
    """Return a conversation under a prompt, as the first lines of its system message or of plain text.

    An empty prompt changes nothing.
    """
    if not prompt:
        return turns
    if isinstance(turns, str):
        return f"{prompt}\n{turns}"
    if turns and turns[0]["role"] == "system":
        return {**turns[0], "content": f"{prompt}\n\n{turns[0]['content']}"}, *turns[1:]
    return {"role": "system", "content": prompt}, *turns


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

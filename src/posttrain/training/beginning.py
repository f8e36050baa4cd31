"""A forced beginning: words that every answer, and every turn of an episode, begins with, and that nobody samples.

The policy reads them and goes on. They are a part of what was written, and never trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from posttrain.errors import ConfigError
from posttrain.records import Segment

if TYPE_CHECKING:
    from posttrain.config.sections.sampling import SamplingSection
    from posttrain.data.chat.encode import Encoder


def forced(encoder: Encoder, sampling: SamplingSection) -> tuple[int, ...]:
    """Encode `sampling.begin`, which continues a prompt. Raises ConfigError if no answer could go on behind it."""
    if not sampling.begin:
        return ()
    tokens = tuple(encoder.control.continued(sampling.begin))
    marks = encoder.control.ids.intersection(tokens)
    if marks:
        raise ConfigError(
            f"sampling.begin: {encoder.tokenizer.convert_ids_to_tokens(min(marks))!r} is a token that ends or marks "
            "turns; leave it out"
        )
    if len(tokens) >= sampling.max_tokens:
        raise ConfigError(
            f"sampling.begin has {len(tokens)} tokens, and sampling.max_tokens is {sampling.max_tokens}: nothing could "
            "follow; raise it"
        )
    return tokens


def beginning(encoder: Encoder, begin: tuple[int, ...], author: int) -> tuple[Segment, ...]:
    """The segment of the forced beginning; none without one."""
    if not begin:
        return ()
    logp = (0.0,) * len(begin)  # it had no choice
    return (Segment(begin, logp, author, encoder.text(begin), trained=False, guided=True),)


def text_behind(encoder: Encoder, before: tuple[int, ...], tokens: tuple[int, ...]) -> str:
    """What tokens say behind those before them: white space between the two belongs to it."""
    text = encoder.text
    return text((*before, *tokens))[len(text(before)) :] if before else text(tokens)

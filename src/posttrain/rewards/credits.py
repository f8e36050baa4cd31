"""From numbers for turns and spans of a text to numbers for the sampled tokens, which are never tokenised again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from posttrain.records import Episode, Span
from posttrain.turns import turn_ends

DENSE = ""  # stands in `credits` for the reward of the whole answer, at the tokens that earned it

Ends = Callable[[Sequence[int]], Sequence[int]]  # tokens -> for each, the number of characters that end with it


def with_credits(episode: Episode, ends_of: Ends) -> Episode:
    """The episode with its spans as `credits`: each number at the token that completes the span."""
    if not episode.spans:
        return episode
    ends = text_ends(episode, ends_of)
    given = {name: place(spans, ends) for name, spans in episode.spans.items()}
    return replace(episode, spans={}, credits={**episode.credits, **given})


def text_ends(episode: Episode, ends_of: Ends) -> list[int | None]:
    """For each token after the prompt the end of its text within the episode's; None where no model wrote it."""
    ends: list[int | None] = []
    before = 0
    for segment in episode.segments:
        if segment.logp is None:
            ends += [None] * len(segment.tokens)
            continue
        ends += [before + end for end in ends_of(segment.tokens)]
        before += len(segment.text)
    return ends


def place(spans: Sequence[Span], ends: Sequence[int | None]) -> tuple[float, ...]:
    """Put the value of each span at the first token with which the span is complete; the last one if there is none."""
    values = [0.0] * len(ends)
    written = [i for i, end in enumerate(ends) if end is not None]
    for span in spans:
        complete = (i for i in written if (ends[i] or 0) >= span.end)
        values[next(complete, written[-1])] += span.value
    return tuple(values)


def turn_credits(episode: Episode, values: Sequence[float]) -> tuple[float, ...]:
    """Put each number at the last token of its turn. As many numbers as turns of models are expected."""
    tokens: list[float] = []
    numbers, ends = iter(values), turn_ends(episode)
    for i, segment in enumerate(episode.segments):
        own = [0.0] * len(segment.tokens)
        if i in ends and own:
            own[-1] = next(numbers)
        tokens += own
    return tuple(tokens)


def turn_values(episode: Episode, tokens: Sequence[float]) -> list[float]:
    """The number of each turn of the model, from those of the tokens: the inverse of `turn_credits`."""
    values, before, ends = [], 0, turn_ends(episode)
    for i, segment in enumerate(episode.segments):
        before += len(segment.tokens)
        if i in ends and segment.tokens:
            values.append(tokens[before - 1])
    return values


def with_dense(episode: Episode, weights: Mapping[str, float]) -> Episode:
    """The episode with its reward at the tokens that earned it, if a reward judged parts of it.

    `weights` are those of the rewards that count. What no part explains is at the last token that the model wrote, so
    that the numbers add up to the reward.
    """
    parts = [name for name in weights if name in episode.credits]
    if episode.reward is None or not parts:
        return episode
    columns = [[weights[name] * x for x in episode.credits[name]] for name in parts]
    dense = [math.fsum(numbers) for numbers in zip(*columns, strict=True)]
    written = [s.logp is not None for s in episode.segments for _ in s.tokens]
    last = len(written) - 1 - written[::-1].index(True)
    dense[last] += episode.reward - math.fsum(dense)
    return replace(episode, credits={**episode.credits, DENSE: tuple(dense)})

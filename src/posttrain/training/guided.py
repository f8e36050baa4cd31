"""Guides at work: the drafts that a first writer begins, and the answers that two writers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from posttrain.core.guide import BEGINNING, REFERENCE, Guide
from posttrain.core.method import Sampling
from posttrain.data.chat.prefix import shared
from posttrain.errors import ConfigError, DataError
from posttrain.records import Episode, Prompt, Segment
from posttrain.sampling.request import Completion, Distribution
from posttrain.seeds import SEEDS
from posttrain.training.drafts import Draft, Group
from posttrain.training.episodes import Key, request
from posttrain.training.run import Run

Places = Sequence[tuple[Group, Key]]


def begin(
    run: Run, name: str, sampling: Sampling, guide: Guide, places: Places, references: Mapping[int, tuple[int, ...]]
) -> None:
    """Let the first writer begin the new drafts of a stream in which the guide takes part, and cut what it wrote."""
    if run.begin:
        raise ConfigError("sampling.begin: a guide begins or ends the answers of this method itself; leave it out")
    most = run.file.sampling.max_tokens
    new = [(g, key) for g, key in places if g.drafts[key].empty]
    new = [(g, key) for g, key in new if _cut(run, name, guide, g, key, most) is not None]
    if guide.by is None:
        wholes = [_given(references[g.prompt.id]) for g, _ in new]
    else:
        first = guide.by if guide.writes == BEGINNING else sampling.drawn_from
        wholes = run.generate([request(run, g.prompt, g.tokens, sampling, (name, g.step), k) for g, k in new], first)
    for (group, key), whole in zip(new, wholes, strict=True):
        cut = _cut(run, name, guide, group, key, len(whole.tokens))
        if cut is not None:
            group.drafts[key] = _begun(run, guide, key[0], whole, cut)


def _cut(run: Run, name: str, guide: Guide, group: Group, key: Key, length: int) -> int | None:
    chance = run.seed("guide", name, group.step, group.prompt.id, *key) / SEEDS
    return guide.cut_of(length, chance, group.step)


def _given(tokens: tuple[int, ...]) -> Completion:
    """The answer of the data as a completion: its writer would write it with probability 1."""
    return Completion(tokens, (0.0,) * len(tokens), ended=True)


def _begun(run: Run, guide: Guide, author: int, whole: Completion, cut: int) -> Draft:
    """The draft whose first segment is the beginning of a completion. A whole one is finished."""
    guided, tokens = guide.writes == BEGINNING, whole.tokens[:cut]
    beginning = Segment(
        tokens,
        whole.logp[:cut],
        author,
        run.encoder.text(tokens),
        ended=whole.ended and cut == len(whole.tokens),
        trained=guide.train or not guided,
        versions=whole.versions[:cut],
        guided=guided,
    )
    finished = cut == len(whole.tokens)
    return Draft((beginning,), Completion((), (), ended=whole.ended, finished=finished))


def writer(sampling: Sampling, draft: Draft) -> Distribution:
    """What the next tokens of a draft are drawn from."""
    second = sampling.guide and draft.segments and sampling.guide.writes != BEGINNING
    return (second and sampling.guide and sampling.guide.by) or sampling.drawn_from


def divided(run: Run, episode: Episode, guide: Guide) -> Episode:
    """The episode with who wrote its second segment, and its text divided where the tokens are.

    A character whose tokens the cut divides belongs to the second writer.
    """
    if len(episode.segments) < 2:
        return episode
    first, second = episode.segments
    if not second.tokens:
        return replace(episode, segments=(first,))
    whole = run.encoder.text(episode.tokens)
    before = whole[: shared(first.text, whole)]
    guided = guide.writes != BEGINNING
    trained = guide.train or not guided
    second = replace(second, text=whole[len(before) :], trained=trained, guided=guided)
    return replace(episode, segments=(replace(first, text=before), second))


def reference_tokens(run: Run, prompt: Prompt) -> tuple[int, ...]:
    """Encode the answer in the column `reference` of a prompt, the first of several.

    Raises DataError if there is none, and ConfigError if it is longer than an answer may be.
    """
    given = prompt.columns.get(REFERENCE)
    text = given if isinstance(given, str) or not given else given[0]
    if not isinstance(text, str) or not text:
        raise DataError(
            f"{prompt.where}: a guide writes the answer in the column {REFERENCE!r}, and it is {given!r:.80} here; "
            f"give every prompt one, or name another column: data.columns: {{{REFERENCE}: answer}}"
        )
    row = run.encoder.row(prompt.id, prompt, text)
    tokens = tuple(t for t, written in zip(row.tokens, row.trained, strict=True) if written)
    most = run.file.sampling.max_tokens
    if len(tokens) > most:
        raise ConfigError(
            f"{prompt.where}: its {REFERENCE} has {len(tokens)} tokens, and sampling.max_tokens is {most}; raise it"
        )
    return tokens

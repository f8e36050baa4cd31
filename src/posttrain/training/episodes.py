"""Requests for prompts, episodes of completions, and the authors of a stream."""

from __future__ import annotations

from dataclasses import replace

from posttrain.core.method import Method, Sampling
from posttrain.records import Episode, Prompt, Segment
from posttrain.sampling.request import NOTHING, Completion, Request
from posttrain.training.beginning import beginning, text_behind
from posttrain.training.run import Run

Names = tuple[str | int, ...]
Key = tuple[int, int]  # (author, sample)


def request(
    run: Run,
    prompt: Prompt,
    tokens: tuple[int, ...],
    sampling: Sampling,
    names: Names,
    key: Key,
    *,
    turn: int = 0,
    partial: Completion = NOTHING,
    max_tokens: int | None = None,
    before: tuple[int, ...] = (),
) -> Request:
    """Make the request for one sample of a prompt.

    Its seed derives from the names, the prompt, the key and (after the first turn) the turn. `tokens`: what precedes
    the sample. `partial`: its beginning, if an earlier request was suspended. `before`: the tokens of its answer that
    somebody else wrote, or the beginning that is forced; they count as a turn, and towards `max_tokens`.
    """
    limits, before = run.file.sampling, before or run.begin
    turn += bool(before)
    return Request(
        prompt=(*tokens, *before),
        seed=run.seed("rollout", *names, prompt.id, *key, *((turn,) if turn else ())),
        max_tokens=(max_tokens or limits.max_tokens) - len(before),
        temperature=sampling.temperature,
        top_k=limits.top_k,
        top_p=limits.top_p,
        partial=partial,
        stop=run.stop,
    )


def episode(
    run: Run,
    prompt: Prompt,
    tokens: tuple[int, ...],
    key: Key,
    completion: Completion,
    *,
    before: tuple[Segment, ...] = (),
) -> Episode:
    """Make the episode that ends with a completion. `before`: the earlier segments, none for a single answer."""
    author, sample = key
    forced = () if before else beginning(run.encoder, run.begin, author)
    text = text_behind(run.encoder, run.begin if forced else (), completion.tokens)
    segment = Segment(completion.tokens, completion.logp, author, text, completion.ended, versions=completion.versions)
    return Episode(prompt, author, sample, tokens, (*before, *forced, segment))


def authors_of(method: Method, stream: str, *, samples: int | None, temperature: float | None) -> tuple[Sampling, ...]:
    """Return the authors of a stream with the run file's number of samples and, for trained ones, its temperature."""

    def changed(sampling: Sampling) -> Sampling:
        greedy_baseline = not sampling.train and sampling.temperature == 0  # a second greedy answer would be the same
        return replace(
            sampling,
            samples=sampling.samples if samples is None or greedy_baseline else samples,
            temperature=sampling.temperature if temperature is None or not sampling.train else temperature,
        )

    return tuple(changed(sampling) for sampling in method.streams[stream].sampling)


def with_opponents(episodes: list[Episode], authors: int) -> list[Episode]:
    """Add the column `opponent`, the text of another author's answer, to every episode if there are several authors."""
    if authors < 2:
        return episodes
    texts: dict[tuple[int, int], list[str]] = {}
    for e in episodes:
        texts.setdefault((e.prompt.id, e.author), []).append(e.text)

    def against(e: Episode) -> Episode:
        others = texts[e.prompt.id, (e.author + 1) % authors]
        columns = {**e.prompt.columns, "opponent": others[e.sample % len(others)]}
        return replace(e, prompt=replace(e.prompt, columns=columns))

    return [against(e) for e in episodes]

"""Reranking: of several answers to a prompt, the one that a choice picks by a reward, or by how the answers agree.

Nothing but the answer is left of how it was drawn: its log-prob is that of the model, not that of being chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from posttrain.core.choice import Choice
from posttrain.data.collate import groups
from posttrain.errors import ConfigError, RewardError
from posttrain.records import Episode
from posttrain.rewards.final_answer import final
from posttrain.rewards.reward import Reward
from posttrain.sampling.distribution import uniforms
from posttrain.training import measures
from posttrain.training.role_rewards import model_score
from posttrain.training.run import Run


def rerank(run: Run, answers: Sequence[Episode], choice: Choice, by: Reward | None) -> list[Episode]:
    """Pick one of every `choice.n` answers to a prompt. `by`: None is the reward model of the run.

    An answer that `by` fails to score is not picked. Raises RewardError if it scores none of those to a prompt.
    """
    given = agreements(run, answers, choice, by) if choice.compares else rewards(run, answers, choice, by)
    return [_picked(run, group, choice, read) for group, read in given]


def rewards(
    run: Run, answers: Sequence[Episode], choice: Choice, by: Reward | None
) -> Iterator[tuple[list[Episode], list[float]]]:
    """Yield the answers to choose from, and their rewards."""
    scored = measures.scored(run, answers, model_score) if by is None else run.score(answers, [by])
    for group in _parts(scored, choice.n):
        kept = [(e, e.reward) for e in group if e.reward is not None]
        yield [e for e, _ in kept], [r for _, r in kept]


def agreements(
    run: Run, answers: Sequence[Episode], choice: Choice, by: Reward | None
) -> Iterator[tuple[list[Episode], list[list[float]]]]:
    """Yield the answers to choose from, and how well each agrees with each: n² scores of `by`."""
    if by is None or len(by.reads.required) != 1:
        raise ConfigError(
            f"{choice.name} compares answers with each other, by a reward with one column for the reference, such as "
            f"translation; {'none was given' if by is None else f'{by.name} is no such reward'}"
        )
    (column,) = by.reads.required
    parts = _parts(answers, choice.n)
    pairs = [(e, other.text) for group in parts for e in group for other in group]
    compared = [
        replace(e, prompt=replace(e.prompt, id=i, columns={**e.prompt.columns, column: text}))
        for i, (e, text) in enumerate(pairs)
    ]
    scores = iter([e.reward for e in run.score(compared, [by])])
    for group in parts:
        table = [[next(scores) for _ in group] for _ in group]
        kept = comparable(table)
        yield [group[i] for i in kept], [[float(table[i][j] or 0.0) for j in kept] for i in kept]


def comparable(table: Sequence[Sequence[float | None]]) -> list[int]:
    """Return the places that have a score with each other: those of most failures are left out, one after another.

    An answer that cannot be read fails as a reference, too, so that every row of the table has a failure.
    """
    kept = list(range(len(table)))
    while True:
        failures = [sum((table[i][j] is None) + (table[j][i] is None) for j in kept) for i in kept]
        if not any(failures):
            return kept
        del kept[failures.index(max(failures))]


def _picked(run: Run, group: Sequence[Episode], choice: Choice, read: Sequence[object]) -> Episode:
    if not group:
        raise RewardError(f"{choice.name}: no answer to a prompt was scored, so none can be chosen")
    first = group[0]
    random = uniforms(run.seed("choice", first.prompt.id, first.sample), len(group))
    name = "agreement" if choice.compares else "rewards"
    place = choice(**{name: read, "uniforms": random, "finals": [final(e.text) for e in group]})
    return replace(group[place], reward=None, rewards={})


def _parts(answers: Sequence[Episode], n: int) -> list[list[Episode]]:
    """The answers to each prompt, n at a time."""
    return [group[i : i + n] for group in groups(answers) for i in range(0, len(group), n)]

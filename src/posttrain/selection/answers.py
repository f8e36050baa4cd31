"""Which sampled answers are worth learning from. Answers without a reward never are; ties go to the earlier answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil, inf

from posttrain.data.collate import groups
from posttrain.data.dataset import Dataset
from posttrain.errors import DataError
from posttrain.records import Demonstration, Prompt, Record, Rollout, Sampled
from posttrain.seeds import seed_for


def scored(rollouts: Iterable[Rollout]) -> list[Rollout]:
    """Those that have a reward."""
    return [r for r in rollouts if r.reward is not None]


def earned(rollout: Rollout) -> float:
    """The reward of an answer that has one."""
    assert rollout.reward is not None
    return rollout.reward


def ranked(rollouts: Iterable[Rollout]) -> list[Rollout]:
    """The best first."""
    return sorted(scored(rollouts), key=earned, reverse=True)


def best(rollouts: Sequence[Rollout], count: int = 1) -> list[Rollout]:
    """The `count` best answers to each prompt."""
    return [r for group in groups(rollouts) for r in ranked(group)[:count]]


def above(rollouts: Iterable[Rollout], threshold: float) -> list[Rollout]:
    """Answers that earned more than the threshold."""
    return [r for r in scored(rollouts) if earned(r) > threshold]


def different(rollouts: Sequence[Rollout], count: int | None = None) -> list[Rollout]:
    """At most `count` answers to each prompt, no text twice."""
    kept: list[Rollout] = []
    for group in groups(rollouts):
        first: dict[str, Rollout] = {}
        for r in group:
            first.setdefault(r.text, r)
        kept += list(first.values())[:count]
    return kept


def quantile(rollouts: Sequence[Rollout], share: float) -> float:
    """The reward that `share` of the answers do not exceed; -inf for none of them."""
    rewards = sorted(earned(r) for r in scored(rollouts))
    if not rewards:
        raise DataError("no answer was scored, so their rewards have no quantiles")
    place = ceil(share * len(rewards) - 1e-9)
    return rewards[place - 1] if place > 0 else -inf


def quantiles(rollouts: Sequence[Rollout], count: int) -> list[list[Rollout]]:
    """All answers in `count` parts of equal size, the best part first; what is left over goes to the worst."""
    order = ranked(rollouts)
    size = len(order) // count
    cuts = [i * size for i in range(count)] + [len(order)]
    return [order[a:b] for a, b in pairwise(cuts)]


def shorter_is_better(rollouts: Sequence[Rollout], rate: float) -> list[Rollout]:
    """Every token costs `rate` of the reward."""
    return [r if r.reward is None else replace(r, reward=r.reward - rate * len(r.tokens)) for r in rollouts]


def about(rollouts: Iterable[Rollout], prompts: Iterable[Prompt]) -> list[Rollout]:
    """The same answers as answers to other prompts with the same ids."""
    known = {p.id: p for p in prompts}
    return [replace(r, prompt=known[r.prompt.id]) for r in rollouts]


def answer(r: Rollout) -> Sampled:
    return Sampled(r.tokens, r.text)


def demonstrations(rollouts: Iterable[Rollout]) -> list[Demonstration]:
    """Answers as what should be said, token by token as they were sampled."""
    return [Demonstration(identity(r), r.prompt.prompt, answer(r), where=r.prompt.where) for r in rollouts]


def identity(*rollouts: Rollout) -> int:
    """An id that derives from the question and the answers."""
    return seed_for("sampled", *(x for r in rollouts for x in (r.prompt.id, r.author, r.sample, r.text)))


def dataset(records: Iterable[Record], name: str) -> Dataset:
    """Records to train on, equal ones once. DataError when there are none."""
    found = {r.id: r for r in records}
    if not found:
        raise DataError(
            f"{name}: no answer was good enough to learn from; sample more answers (sampling.samples), ask easier "
            "questions, or give rewards that tell answers apart"
        )
    return Dataset(tuple(found.values()), name)


def finished(rollouts: Sequence[Rollout], at_least: int = 1) -> list[Rollout]:
    """Answers that ended by themselves, to prompts that have at least so many of them."""
    kept = groups(r for r in rollouts if r.ended)
    return [r for group in kept if len(group) >= at_least for r in group]

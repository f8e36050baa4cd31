"""Which sampled answers are worth learning from. An answer without a reward never is; ties go to the earlier answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil, exp, inf
from statistics import fmean

from posttrain.data.collate import groups
from posttrain.data.dataset import Dataset
from posttrain.errors import DataError
from posttrain.records import Demonstration, Episode, Prompt, Record, Sampled
from posttrain.seeds import seed_for


def scored(rollouts: Iterable[Episode]) -> list[Episode]:
    """Return the answers that have a reward."""
    return [r for r in rollouts if r.reward is not None]


def reward_of(rollout: Episode) -> float:
    """Return the reward of an answer that has one."""
    assert rollout.reward is not None
    return rollout.reward


def ranked(rollouts: Iterable[Episode]) -> list[Episode]:
    """Return the answers that have a reward, the best first."""
    return sorted(scored(rollouts), key=reward_of, reverse=True)


def best(rollouts: Sequence[Episode], count: int = 1) -> list[Episode]:
    """Return the `count` best answers to each prompt."""
    return [r for group in groups(rollouts) for r in ranked(group)[:count]]


def above(rollouts: Iterable[Episode], threshold: float) -> list[Episode]:
    """Return the answers whose reward exceeds the threshold."""
    return [r for r in scored(rollouts) if reward_of(r) > threshold]


def reaching(rollouts: Iterable[Episode], least: Mapping[str, float]) -> list[Episode]:
    """Return the answers of which every reward that `least` names is at least that number; without it, none is."""
    return [r for r in rollouts if all((x := r.rewards.get(n)) is not None and x >= low for n, low in least.items())]


def different(rollouts: Sequence[Episode], count: int | None = None) -> list[Episode]:
    """Return at most `count` answers to each prompt, no text twice."""
    kept: list[Episode] = []
    for group in groups(rollouts):
        first: dict[str, Episode] = {}
        for r in group:
            first.setdefault(r.text, r)
        kept += list(first.values())[:count]
    return kept


def quantile(rollouts: Sequence[Episode], share: float) -> float:
    """Return the reward that `share` of the answers do not exceed; -inf for a share of 0. DataError without rewards."""
    rewards = sorted(reward_of(r) for r in scored(rollouts))
    if not rewards:
        raise DataError("no answer was scored, so their rewards have no quantiles")
    place = ceil(share * len(rewards) - 1e-9)
    return rewards[place - 1] if place > 0 else -inf


def quantiles(rollouts: Sequence[Episode], count: int) -> list[list[Episode]]:
    """Divide all answers into `count` parts of equal size, the best part first; the worst part takes the remainder."""
    order = ranked(rollouts)
    size = len(order) // count
    cuts = [i * size for i in range(count)] + [len(order)]
    return [order[a:b] for a, b in pairwise(cuts)]


def likely(rollouts: Sequence[Episode], share: float) -> list[Episode]:
    """Return the `share` of all answers with the highest mean log-prob, in their old order."""
    order = sorted(range(len(rollouts)), key=lambda i: -sum(rollouts[i].logp) / max(1, len(rollouts[i].logp)))
    return [rollouts[i] for i in sorted(order[: round(share * len(rollouts))])]


def confidence(rollouts: Sequence[Episode]) -> float:
    """Return how sure the model was: the mean over the answers of the geometric mean of their tokens' probabilities."""
    return fmean(exp(fmean(r.logp)) for r in rollouts if r.logp)


def length_penalised(rollouts: Sequence[Episode], rate: float) -> list[Episode]:
    """Subtract `rate` from the reward for every token of an answer."""
    return [r if r.reward is None else replace(r, reward=r.reward - rate * len(r.tokens)) for r in rollouts]


def with_prompts(rollouts: Iterable[Episode], prompts: Iterable[Prompt]) -> list[Episode]:
    """Attach answers to other prompts of the same ids."""
    known = {p.id: p for p in prompts}
    return [replace(r, prompt=known[r.prompt.id]) for r in rollouts]


def answer(r: Episode) -> Sampled:
    """Return an answer as a completion of sampled tokens; of an episode, what the model wrote is trained.

    Raises DataError for an episode of several rows.
    """
    if not r.conversation:
        return Sampled(r.tokens, r.text)
    if len(r.rows) > 1:
        raise DataError(
            f"{r.prompt.where}: the chat template rewrites earlier turns, so that no row holds the whole episode; set "
            "model.chat_template to one that leaves them as they are"
        )
    written = tuple(s.logp is not None and s.trained for s in r.segments for _ in s.tokens)
    return Sampled(r.tokens, r.text, asked=r.prompt_tokens, written=written)


def demonstrations(rollouts: Iterable[Episode]) -> list[Demonstration]:
    """Turn answers into demonstrations, token by token as they were sampled."""
    return [Demonstration(identity(r), r.prompt.prompt, answer(r), where=r.prompt.where) for r in rollouts]


def identity(*rollouts: Episode) -> int:
    """Return an id that derives from the question and the answers."""
    return seed_for("sampled", *(x for r in rollouts for x in (r.prompt.id, r.author, r.sample, r.text)))


def dataset(records: Iterable[Record], name: str) -> Dataset:
    """Return a dataset of records to train on, without duplicates. DataError when there are none.

    Records of several sources may have the same id and be about other prompts: the later one gets an id of its own.
    """
    unique: dict[int, Record] = {}
    for r in records:
        while r.id in unique and unique[r.id].prompt != r.prompt:
            r = replace(r, id=seed_for("another", r.id))
        unique[r.id] = r
    if not unique:
        raise DataError(
            f"{name}: no answer was good enough to learn from; sample more answers (sampling.samples), ask easier "
            "questions, or give rewards that tell answers apart"
        )
    return Dataset(tuple(unique.values()), name)


def finished(rollouts: Sequence[Episode], at_least: int = 1) -> list[Episode]:
    """Return the answers that ended by themselves, of prompts that have at least `at_least` of them."""
    kept = groups(r for r in rollouts if r.ended)
    return [r for group in kept if len(group) >= at_least for r in group]

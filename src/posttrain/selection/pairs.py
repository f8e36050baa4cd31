"""Pairs of sampled answers: which two of a group are compared. The better one comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from posttrain.data.collate import groups
from posttrain.errors import ConfigError, suggestion
from posttrain.records import Demonstration, Episode, Pair, Record, Sampled
from posttrain.seeds import seed_for
from posttrain.selection.answers import answer, different, identity, length_penalised, ranked, reward_of
from posttrain.turns import answer_text

Couple = tuple[Episode, Episode]
Pairing = Callable[[Sequence[Episode]], Couple | None]  # of the ranked answers to one prompt


def best_and_worst(group: Sequence[Episode]) -> Couple | None:
    """Return the best answer and the worst."""
    return group[0], group[-1]


def best_and_random(group: Sequence[Episode]) -> Couple | None:
    """Return the best answer and a random other one."""
    return group[0], group[1 + seed_for("pair", *_names(group)) % (len(group) - 1)]


def random(group: Sequence[Episode]) -> Couple | None:
    """Return two random answers."""
    first = seed_for("first", *_names(group)) % len(group)
    other = seed_for("other", *_names(group)) % (len(group) - 1)
    low, high = sorted((first, other + (other >= first)))
    return group[low], group[high]


def between_authors(group: Sequence[Episode]) -> Couple | None:
    """Return the best answers of two authors; None where there is only one author."""
    of = {r.author: r for r in reversed(group)}
    if len(of) < 2:
        return None
    one, two = sorted((of[a] for a in sorted(of)[:2]), key=group.index)
    return one, two


PAIRINGS: dict[str, Pairing] = {f.__name__: f for f in (best_and_worst, best_and_random, random, between_authors)}


def pairs(rollouts: Iterable[Episode], pairing: str = "best_and_worst", *, margin: float = 0.0) -> list[Pair]:
    """Return one pair for each prompt, where two answers differ by more than `margin` in reward."""
    if pairing not in PAIRINGS:
        raise ConfigError(f"no pairing {pairing!r}{suggestion(pairing, PAIRINGS)}; there are {', '.join(PAIRINGS)}")
    compared = []
    for group in map(ranked, groups(rollouts)):
        couple = PAIRINGS[pairing](group) if len(group) > 1 else None
        if couple is not None and reward_of(couple[0]) - reward_of(couple[1]) > margin:
            compared.append(pair(*couple))
    return compared


def pair(chosen: Episode, rejected: Episode) -> Pair:
    """Return a comparison, with both rewards where they are known."""
    known = {"chosen_reward": chosen.reward, "rejected_reward": rejected.reward}
    columns = {**chosen.prompt.columns, **{n: x for n, x in known.items() if x is not None}}
    prompt = chosen.prompt
    return Pair(identity(chosen, rejected), prompt.prompt, answer(chosen), answer(rejected), columns, prompt.where)


def unlabelled(rollouts: Iterable[Episode]) -> list[Pair]:
    """Return the first two different answers to each prompt, in the order in which they were sampled."""
    groups_ = (different(list(group), 2) for group in groups(rollouts))
    return [pair(one, other) for one, other in (group for group in groups_ if len(group) > 1)]


def _names(group: Sequence[Episode]) -> tuple[int, ...]:
    return group[0].prompt.id, *(t for r in group for t in r.tokens)


def against(shown: Iterable[Record], own: Iterable[Episode]) -> list[Pair]:
    """Return pairs of each demonstration, preferred, and each of the model's own answers that differs from it."""
    answers: dict[str, list[Episode]] = {}
    for r in own:
        answers.setdefault(repr(r.prompt.prompt), []).append(r)
    return [
        Pair(seed_for("against", d.id, identity(r)), d.prompt, d.completion, answer(r), d.columns, d.where)
        for d in shown
        if isinstance(d, Demonstration)
        for r in answers[repr(d.prompt)]
        if answer_text(d.completion) != r.text
    ]


def pairs_of_equal_length(rollouts: Sequence[Episode]) -> list[Pair]:
    """Return best and worst of each prompt at the price of a token that makes both equally long on average.

    The mean of |y_w| - |y_l| falls as the price rises, so the price is found by bisection. It is at least 0: where the
    preferred answers are shorter, nothing is corrected.
    """
    low, high = 0.0, 1.0
    if _longer(rollouts, low) <= 0:
        return pairs(rollouts)
    while _longer(rollouts, high) > 0 and high < 2**20:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _longer(rollouts, middle) > 0 else (low, middle)
    price = min(low, high, key=lambda p: abs(_longer(rollouts, p)))
    return pairs(length_penalised(rollouts, price))


def _longer(rollouts: Sequence[Episode], price: float) -> float:
    """Return the tokens by which preferred answers are longer, summed over all pairs."""
    answers = ((p.chosen, p.rejected) for p in pairs(length_penalised(rollouts, price)))
    return sum(len(a.tokens) - len(b.tokens) for a, b in answers if isinstance(a, Sampled) and isinstance(b, Sampled))


def mix_replay(new: Sequence[Pair], old: Sequence[Record], share: float) -> list[Record]:
    """Return as many pairs as `new` has, a `share` of them old ones. No prompt has both.

    There are fewer where `old` has too few.
    """
    count = round(share * len(new))
    order = sorted(old, key=lambda r: seed_for("replay", r.id))
    kept = sorted(new, key=lambda p: seed_for("replay", p.id))[: len(new) - count]
    asked = {repr(p.prompt) for p in kept}
    return [*kept, *[r for r in order if repr(r.prompt) not in asked][:count]]


def all_pairs(rollouts: Sequence[Episode]) -> list[tuple[int, int]]:
    """Return the indices of every two answers to the same prompt."""
    places: dict[int, list[int]] = {}
    for i, r in enumerate(rollouts):
        places.setdefault(r.prompt.id, []).append(i)
    return [couple for group in places.values() for couple in combinations(group, 2)]


def labels(one: Episode, other: Episode, count: int) -> list[Pair]:
    """Return `count` labels of one comparison, each a record of its own; none where the rewards do not decide it."""
    if one.reward is None or other.reward is None or one.reward == other.reward:
        return []
    comparison = pair(*ranked((one, other)))
    return [replace(comparison, id=seed_for("label", comparison.id, n)) for n in range(count)]

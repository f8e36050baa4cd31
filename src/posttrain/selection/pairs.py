"""Pairs of sampled answers: which two of a group are compared. The better one comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from posttrain.data.collate import groups
from posttrain.errors import ConfigError, suggestion
from posttrain.records import Demonstration, Pair, Record, Rollout, Sampled
from posttrain.seeds import seed_for
from posttrain.selection.answers import answer, earned, identity, ranked, shorter_is_better
from posttrain.turns import answer_text

Two = tuple[Rollout, Rollout]
Pairing = Callable[[Sequence[Rollout]], Two | None]  # of the ranked answers to one prompt


def best_and_worst(group: Sequence[Rollout]) -> Two | None:
    return group[0], group[-1]


def best_and_random(group: Sequence[Rollout]) -> Two | None:
    """The best, and another one by chance."""
    return group[0], group[1 + seed_for("pair", *_names(group)) % (len(group) - 1)]


def random(group: Sequence[Rollout]) -> Two | None:
    """Two by chance."""
    first = seed_for("first", *_names(group)) % len(group)
    other = seed_for("other", *_names(group)) % (len(group) - 1)
    low, high = sorted((first, other + (other >= first)))
    return group[low], group[high]


def between_authors(group: Sequence[Rollout]) -> Two | None:
    """The best answers of two authors."""
    of = {r.author: r for r in reversed(group)}
    if len(of) < 2:
        return None
    one, two = sorted((of[a] for a in sorted(of)[:2]), key=group.index)
    return one, two


PAIRINGS: dict[str, Pairing] = {f.__name__: f for f in (best_and_worst, best_and_random, random, between_authors)}


def pairs(rollouts: Iterable[Rollout], pairing: str = "best_and_worst", *, margin: float = 0.0) -> list[Pair]:
    """One pair a prompt, where two answers differ by more than `margin` in reward."""
    if pairing not in PAIRINGS:
        raise ConfigError(f"no pairing {pairing!r}{suggestion(pairing, PAIRINGS)}; there are {', '.join(PAIRINGS)}")
    made = []
    for group in map(ranked, groups(rollouts)):
        two = PAIRINGS[pairing](group) if len(group) > 1 else None
        if two is not None and earned(two[0]) - earned(two[1]) > margin:
            made.append(pair(*two))
    return made


def pair(chosen: Rollout, rejected: Rollout) -> Pair:
    """A comparison, with both rewards where they are known."""
    known = {"chosen_reward": chosen.reward, "rejected_reward": rejected.reward}
    columns = {**chosen.prompt.columns, **{n: x for n, x in known.items() if x is not None}}
    prompt = chosen.prompt
    return Pair(identity(chosen, rejected), prompt.prompt, answer(chosen), answer(rejected), columns, prompt.where)


def _names(group: Sequence[Rollout]) -> tuple[int, ...]:
    return group[0].prompt.id, *(t for r in group for t in r.tokens)


def against(shown: Iterable[Record], own: Iterable[Rollout]) -> list[Pair]:
    """Every demonstration, preferred to the model's own answers to its prompt that differ from it."""
    answers: dict[str, list[Rollout]] = {}
    for r in own:
        answers.setdefault(repr(r.prompt.prompt), []).append(r)
    return [
        Pair(seed_for("against", d.id, identity(r)), d.prompt, d.completion, answer(r), d.columns, d.where)
        for d in shown
        if isinstance(d, Demonstration)
        for r in answers[repr(d.prompt)]
        if answer_text(d.completion) != r.text
    ]


def pairs_of_equal_length(rollouts: Sequence[Rollout]) -> list[Pair]:
    """Best and worst of each prompt, at the price of a token that makes both equally long on average.

    The mean of |y_w| - |y_l| falls as the price rises, so the price is found by halving. No price below 0: where the
    preferred answers are the shorter ones, nothing is corrected.
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
    return pairs(shorter_is_better(rollouts, price))


def _longer(rollouts: Sequence[Rollout], price: float) -> float:
    """Tokens by which preferred answers are longer, summed over all pairs."""
    answers = ((p.chosen, p.rejected) for p in pairs(shorter_is_better(rollouts, price)))
    return sum(len(a.tokens) - len(b.tokens) for a, b in answers if isinstance(a, Sampled) and isinstance(b, Sampled))


def apart(new: Sequence[Pair], old: Sequence[Record], share: float) -> list[Record]:
    """As many pairs as `new` (or `old`) has, `share` of them old ones. No prompt has both."""
    count = round(share * len(new))
    order = sorted(old, key=lambda r: seed_for("replay", r.id))
    kept = sorted(new, key=lambda p: seed_for("replay", p.id))[: len(new) - count]
    asked = {repr(p.prompt) for p in kept}
    return [*kept, *[r for r in order if repr(r.prompt) not in asked][:count]]


def twos(rollouts: Sequence[Rollout]) -> list[tuple[int, int]]:
    """The numbers of every two answers to the same prompt."""
    places: dict[int, list[int]] = {}
    for i, r in enumerate(rollouts):
        places.setdefault(r.prompt.id, []).append(i)
    return [two for group in places.values() for two in combinations(group, 2)]


def labels(one: Rollout, other: Rollout, count: int) -> list[Pair]:
    """So many labels of one comparison, each a record of its own; none where the rewards do not decide it."""
    if one.reward is None or other.reward is None or one.reward == other.reward:
        return []
    made = pair(*ranked((one, other)))
    return [replace(made, id=seed_for("label", made.id, n)) for n in range(count)]

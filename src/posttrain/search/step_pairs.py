"""Pairs of steps from trees: two that continue the same answer, of which the search found one better.

(x, s_1 … s_{t-1}; s_t ≻ s'_t)    where Q(s_t) - Q(s'_t) exceeds a margin
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from posttrain.records import Pair, Sampled
from posttrain.search.found import Found
from posttrain.seeds import seed_for


def step_pairs(found: Iterable[Found], *, margin: float = 0.0) -> list[Pair]:
    """Return a pair for every two siblings whose mean values differ by more than `margin`, the better one first.

    A step that no value was backed up through is in none. Both answers of a pair begin with the same tokens, which are
    read and not trained; Q of each is the column `chosen_reward` and `rejected_reward`.
    """
    return [
        _pair(f, *sorted(two, key=lambda n: -f.tree[n].mean))
        for f in found
        for two in _siblings(f)
        if abs(f.tree[two[0]].mean - f.tree[two[1]].mean) > margin
    ]


def _siblings(f: Found) -> Iterator[tuple[int, int]]:
    for node in f.tree.nodes:
        yield from combinations([c for c in node.children if f.tree[c].visits], 2)


def _pair(f: Found, better: int, worse: int) -> Pair:
    values = {"chosen_reward": f.tree[better].mean, "rejected_reward": f.tree[worse].mean}
    identity = seed_for("steps", f.prompt.id, *f.tree.answer(better).tokens, -1, *f.tree.answer(worse).tokens)
    columns = {**f.prompt.columns, **values}
    return Pair(
        identity, f.prompt.prompt, _step(f, better), _step(f, worse), columns, f.prompt.where, f.prompt.arguments
    )


def _step(f: Found, n: int) -> Sampled:
    """The answer up to a node, of which the last step is trained."""
    whole = f.tree.answer(n)
    return Sampled(whole.tokens, whole.text, len(whole.tokens) - len(f.tree[n].step.tokens))

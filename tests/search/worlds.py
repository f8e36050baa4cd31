"""Worlds for searches, without any model: what may follow a text, how likely, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from math import log
from typing import Any

from posttrain.search.search import Draw, Growth, Search, grow
from posttrain.search.tree import Step, Tree

Follows = Callable[[str], Sequence[tuple[str, float, bool]]]  # text so far -> (step, probability, whether it ends)


def step(text: str, probability: float = 1.0, *, ended: bool = False) -> Step:
    """A step whose tokens are its characters, each of the same probability."""
    return Step(tuple(map(ord, text)), (log(probability),) * len(text), text, ended)


def play(
    strategy: Callable[..., Growth], follows: Follows, worth: Callable[[str], float | None], **settings: Any
) -> tuple[Tree, list[str]]:
    """Grow one tree: the k-th sample behind a text is its k-th step, in a circle. Returns the answers too."""
    tree, asked = Tree(), list[str]()

    def draw(places: Any) -> list[Step]:
        drawn = []
        for p in places:
            steps = follows(tree.answer(p.node).text)
            text, probability, ended = steps[p.sample % len(steps)]
            drawn.append(step(text, probability, ended=ended))
            while p.whole and not drawn[-1].ended:
                drawn[-1] = step(drawn[-1].text + follows(drawn[-1].text)[0][0], ended=len(drawn[-1].text) > 1)
        return drawn

    def value(nodes: Any) -> list[float | None]:
        asked.extend(tree.answer(n).text for _, n in nodes)
        return [worth(tree.answer(n).text) for _, n in nodes]

    (answers,) = grow(Search("mine", strategy, tuple(settings.items())), [tree], draw, value)
    return tree, [tree.answer(n).text for n in answers]


def letters(depth: int, alphabet: str = "ab") -> Follows:
    """Every text of so many letters is an answer; all letters are equally likely."""
    return lambda text: [(x, 1 / len(alphabet), len(text) + 1 == depth) for x in alphabet]


def best_reachable(leaves: Mapping[str, float]) -> Callable[[str], float]:
    """The perfect value: that of the best answer that begins with a text."""
    return lambda text: max(x for leaf, x in leaves.items() if leaf.startswith(text))


def texts(depth: int, alphabet: str = "ab") -> list[str]:
    """All answers of `letters`."""
    return ["".join(x) for x in product(alphabet, repeat=depth)]


def with_a_cut(strategy: Callable[..., Growth], **settings: Any) -> list[str]:
    """The answers of a strategy that draws one that is cut, twice, and one that ends and is worth less."""
    tree = Tree(max_tokens=2)
    growth = strategy(tree, **settings)
    while True:
        try:
            wish = next(growth)
        except StopIteration as over:
            return [tree.answer(n).text for n in over.value]
        if isinstance(wish, Draw):
            tree.add(wish.nodes[0], [step("ab"), step("ab"), step("c", ended=True)])
        else:
            for n in wish.nodes:
                tree[n].value = float(tree.answer(n).text == "ab")

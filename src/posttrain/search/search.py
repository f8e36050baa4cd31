"""A search: a strategy with its settings, and what it asks for while it grows the trees of many prompts at once.

A strategy is a generator over one tree. It yields what it wants, `Draw` or `Value`, finds it in the tree when it goes
on, and returns the nodes of its answers, the best first. So it knows no model: whoever drives it answers what all trees
want in one batch, or from what an earlier attempt has kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from posttrain.search.tree import Step, Tree


@dataclass(frozen=True)
class Draw:
    """A wish for steps behind each of some nodes. `whole`: each goes on to the end of its answer."""

    nodes: tuple[int, ...]
    samples: int
    whole: bool = False


@dataclass(frozen=True)
class Value:
    """A wish for the values of some nodes."""

    nodes: tuple[int, ...]


Growth = Generator[Draw | Value, None, Sequence[int]]  # returns the nodes of its answers, the best first


@dataclass(frozen=True)
class Search:
    """A strategy, with its settings."""

    name: str
    strategy: Callable[..., Growth]
    settings: tuple[tuple[str, Any], ...] = ()

    def __call__(self, tree: Tree) -> Growth:
        """Begin to grow a tree."""
        return self.strategy(tree, **dict(self.settings))


@dataclass(frozen=True)
class Place:
    """Where a step is drawn: behind which node of which tree, and how many were drawn there before."""

    tree: int
    node: int
    sample: int
    whole: bool = False


Drawer = Callable[[Sequence[Place]], Sequence[Step]]
Valuer = Callable[[Sequence[tuple[int, int]]], Sequence[float | None]]  # of (tree, node)


def grow(
    search: Search,
    trees: Sequence[Tree],
    draw: Drawer,
    value: Valuer,
    known: Sequence[Mapping[str, Any]] = (),
    keep: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> list[Sequence[int]]:
    """Grow all trees side by side. Returns the nodes of the answers in each, the best first.

    `known`: what an earlier attempt has drawn and valued, wave by wave; `keep` gets each wave that comes after them.
    """
    answers: list[Sequence[int]] = [() for _ in trees]
    growing = {i: search(tree) for i, tree in enumerate(trees)}
    waves = iter(known)
    while wanted := _next(growing, answers):
        places = [p for i, wish in wanted.items() if isinstance(wish, Draw) for p in _places(i, trees[i], wish)]
        asked = [(i, n) for i, wish in wanted.items() if isinstance(wish, Value) for n in wish.nodes]
        wave = next(waves, None)
        if wave is None:
            wave = {"steps": list(draw(places)) if places else [], "values": list(value(asked)) if asked else []}
            keep(wave)
        for p, step in zip(places, wave["steps"], strict=True):
            trees[p.tree].add(p.node, [step])
        for (i, n), x in zip(asked, wave["values"], strict=True):
            trees[i][n].value = x
            trees[i].valued += 1
    return answers


def _next(growing: dict[int, Growth], answers: list[Sequence[int]]) -> dict[int, Draw | Value]:
    """Let every tree go on; return what each wants next. One that has come to its end leaves its answers."""
    wanted: dict[int, Draw | Value] = {}
    for i, growth in list(growing.items()):
        try:
            wanted[i] = next(growth)
        except StopIteration as end:
            answers[i] = end.value
            del growing[i]
    return wanted


def _places(i: int, tree: Tree, wish: Draw) -> list[Place]:
    return [Place(i, n, tree[n].samples + k, wish.whole) for n in wish.nodes for k in range(wish.samples)]

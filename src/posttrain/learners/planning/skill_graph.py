"""A graph of skills, and the search that turns a wanted item into a list of skills.

Every skill consumes, requires and makes items in some quantity. Depth first, an item that is lacking is acquired by the
skill that makes it, and before that what this skill consumes, then the tools that it requires, and last the things that
must be nearby, since a skill that finds something leaves behind what was nearby.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Items = Mapping[str, int]
NEARBY = "nearby"  # the end of the name of an item that is not carried
FINDS = "find"  # the beginning of the name of a skill that leaves behind what was nearby
LONGEST = 1000  # skills of a plan; a graph that needs more is taken to be wrong


@dataclass(frozen=True)
class Node:
    """A skill: what it uses up, what must be there and stays, and what it makes."""

    consume: Items = field(default_factory=dict)
    require: Items = field(default_factory=dict)
    obtain: Items = field(default_factory=dict)


class InfeasibleError(Exception):
    """An item that no skill of the graph makes, or only from itself. `item`: its name."""

    def __init__(self, item: str, why: str) -> None:
        super().__init__(f"{item}: {why}")
        self.item = item


def nearby(item: str) -> bool:
    """Whether an item is a thing nearby, which cannot be carried."""
    return item.endswith(NEARBY)


def plan(graph: Mapping[str, Node], inventory: Items, target: str, number: int = 1) -> list[str]:
    """The skills, in order, that lead from an inventory to `number` of the target. Raises InfeasibleError."""
    search = _Search(graph, Counter(inventory))
    search.acquire(target, number, ())
    return search.found


class _Search:
    def __init__(self, graph: Mapping[str, Node], owned: Counter[str]) -> None:
        self.graph, self.owned = graph, owned
        self.found: list[str] = []

    def acquire(self, item: str, number: int, waiting: tuple[str, ...]) -> None:
        """Add the skills until `number` are owned. `waiting`: items whose skills wait for this one."""
        while self.owned[item] < number:
            if item in waiting:
                raise InfeasibleError(item, f"it is made from itself, by way of {', '.join(waiting)}")
            name = next((n for n, node in self.graph.items() if node.obtain.get(item, 0) > 0), None)
            if name is None:
                raise InfeasibleError(item, "no skill makes it")
            self._use(name, (*waiting, item))

    def _use(self, name: str, waiting: tuple[str, ...]) -> None:
        node = self.graph[name]
        for item, number in node.consume.items():
            self.acquire(item, number, waiting)
            self.owned[item] -= number  # taken now, so that nothing else counts on them
        for item, number in sorted(node.require.items(), key=lambda pair: nearby(pair[0])):
            self.acquire(item, number, waiting)
        lost = [item for item, number in node.require.items() if self.owned[item] < number]
        if lost:
            raise InfeasibleError(lost[0], f"it is gone before {name} can use it")
        if name.startswith(FINDS):
            for item in [i for i in self.owned if nearby(i)]:
                del self.owned[item]
        self.found.append(name)
        if len(self.found) > LONGEST:
            raise InfeasibleError(waiting[0], f"it takes more than {LONGEST} skills")
        self.owned.update(node.obtain)


def written(node: Node) -> str:
    """A skill as a line: `consume: 2 plank; require: 1 bench nearby; obtain: 4 stick`."""
    parts = ("consume", node.consume), ("require", node.require), ("obtain", node.obtain)
    lists = [(name, ", ".join(f"{n} {item}" for item, n in items.items()) or "nothing") for name, items in parts]
    return "; ".join(f"{name}: {items}" for name, items in lists)


def read_node(text: str | None) -> Node | None:
    """Read a skill from a reply: three lists of numbers and items. None where one of them is missing or unreadable."""
    found: dict[str, dict[str, int]] = {}
    for name in ("consume", "require", "obtain"):
        part = re.search(rf"{name}s?:([^;\n]*)", text or "", re.IGNORECASE)
        items = None if part is None else _items(part[1])
        if items is None:
            return None
        found[name] = items
    return Node(**found) if found["obtain"] else None


def _items(text: str) -> dict[str, int] | None:
    text = text.strip().strip(".")
    if text.casefold() in ("nothing", "none", ""):
        return {}
    parts = [re.fullmatch(r"\s*(\d{1,3}) +([\w -]+?)\s*", part) for part in text.split(",")]
    return None if None in parts else {p[2].casefold(): int(p[1]) for p in parts if p}


def mistakes(node: Node, items: Sequence[str]) -> list[str]:
    """Lines that get a skill wrong: nothing required, one more consumed, or another item made."""
    (item, number), *_ = node.obtain.items()
    others = [i for i in items if i != item]
    wrong = [Node(node.consume, node.require, {other: number}) for other in others]
    if node.require:
        wrong.append(Node(node.consume, {}, node.obtain))
    if node.consume:
        wrong.append(Node({i: n + 1 for i, n in node.consume.items()}, node.require, node.obtain))
    return [written(w) for w in wrong]

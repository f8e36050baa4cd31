"""A tree of partial answers to one prompt.

Node 0 is the prompt. Every other node is a step: the tokens that were drawn behind its parent, as they were drawn. The
answer that a node stands for are the steps from the prompt to it. Nodes are numbered in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import exp, inf
from statistics import fmean
from typing import Any

ROOT = 0


@dataclass(frozen=True)
class Step:
    """Tokens that were drawn in one go, with their log-probs. `ended`: the answer ends with them, by itself."""

    tokens: tuple[int, ...] = ()
    logp: tuple[float, ...] = ()
    text: str = ""
    ended: bool = False

    @property
    def prior(self) -> float:
        """The geometric mean of the probabilities of its tokens: exp(mean log p). 1 where nothing was drawn."""
        return exp(fmean(self.logp)) if self.logp else 1.0


@dataclass
class Node:
    """A step in its tree. `value` is an estimate of the answer so far, None where nobody made one.

    `drawn`: how often a step with this text was drawn. `visits` and `total`: the number and the sum of the values that
    were backed up through it. `closed`: nothing is left to look for below it. `spent`: tokens of the tree that had been
    drawn when it came.
    """

    parent: int
    step: Step
    depth: int = 0
    drawn: int = 1
    samples: int = 0  # steps that were drawn behind it
    children: list[int] = field(default_factory=list)
    value: float | None = None
    visits: int = 0
    total: float = 0.0
    closed: bool = False
    spent: int = 0

    @property
    def mean(self) -> float:
        """Q: the mean of the values that were backed up through it; 0 before the first."""
        return self.total / self.visits if self.visits else 0.0


class Tree:
    """The nodes of a search, and its limits: steps of an answer (`depth`) and tokens of it (`max_tokens`)."""

    def __init__(self, max_tokens: int | None = None) -> None:
        self.nodes = [Node(-1, Step())]
        self.depth: int | None = None
        self.max_tokens = max_tokens
        self.tokens = 0  # that were drawn, those of steps that came twice included
        self.valued = 0  # nodes that were asked about

    def __getitem__(self, n: int) -> Node:
        return self.nodes[n]

    def add(self, parent: int, steps: Iterable[Step]) -> None:
        """Add steps behind a node. One whose text, white space around it aside, is there already only counts."""
        above = self.nodes[parent]
        known = {_same(self.nodes[c].step): c for c in above.children}
        for step in steps:
            above.samples += 1
            self.tokens += len(step.tokens)
            if (key := _same(step)) in known:
                self.nodes[known[key]].drawn += 1
                continue
            known[key] = len(self.nodes)
            above.children.append(len(self.nodes))
            self.nodes.append(Node(parent, step, above.depth + 1, spent=self.tokens))

    def path(self, n: int) -> list[int]:
        """Return the nodes from the first step to this one; none for the prompt."""
        found = []
        while n != ROOT:
            found.append(n)
            n = self.nodes[n].parent
        return found[::-1]

    def answer(self, n: int) -> Step:
        """Return the steps up to a node as one: their tokens, log-probs and text, joined."""
        steps = [self.nodes[i].step for i in self.path(n)]
        tokens, logp = (tuple(x for s in steps for x in getattr(s, name)) for name in ("tokens", "logp"))
        return Step(tokens, logp, "".join(s.text for s in steps), bool(steps) and steps[-1].ended)

    def over(self, n: int) -> bool:
        """Whether nothing may follow a node: its answer has ended, or it is as long as it may be."""
        node = self.nodes[n]
        return node.step.ended or node.depth == self.depth or self.room(n) == 0

    def room(self, n: int) -> int | None:
        """Return how many tokens may follow a node; None without a limit."""
        if self.max_tokens is None:
            return None
        return max(0, self.max_tokens - sum(len(self.nodes[i].step.tokens) for i in self.path(n)))

    def ranked(self, nodes: Iterable[int]) -> list[int]:
        """Order nodes by their values, the best first; those without any come last, and ties in their old order."""
        return sorted(nodes, key=lambda n: -self.worth(n))

    def worth(self, n: int) -> float:
        """Return the value of a node as a number to compare; -inf where nobody made one."""
        value = self.nodes[n].value
        return -inf if value is None else value

    def finished(self, nodes: Iterable[int] | None = None) -> list[int]:
        """Return the nodes behind which nothing may follow, ended answers before those that were cut."""
        given = range(1, len(self.nodes)) if nodes is None else nodes
        return sorted((n for n in given if self.over(n)), key=lambda n: not self.nodes[n].step.ended)

    def state(self) -> dict[str, Any]:
        """Return everything as plain data."""
        nodes = [{**asdict(node), "step": asdict(node.step)} for node in self.nodes]
        return {**{k: x for k, x in vars(self).items() if k != "nodes"}, "nodes": nodes}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Tree:
        """Rebuild a tree from its `state`, also where that has been JSON."""
        tree = cls()
        vars(tree).update({k: x for k, x in state.items() if k != "nodes"})
        tree.nodes = [_node(row) for row in state["nodes"]]
        return tree


def _same(step: Step) -> tuple[str, bool]:
    return step.text.strip(), step.ended


def _node(row: Mapping[str, Any]) -> Node:
    return Node(**{**row, "step": as_step(row["step"]), "children": [*row["children"]]})


def as_step(row: Mapping[str, Any]) -> Step:
    """Rebuild a step from its fields, also where they have been JSON."""
    return Step(tuple(row["tokens"]), tuple(row["logp"]), row["text"], row["ended"])

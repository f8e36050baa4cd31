"""Accuracy against budget: what each search strategy makes of so many drawn steps.

    python benchmarks/anytime.py [--problems 200] [--noise 0.3] [--figure docs/search.png]

No model takes part: the world is scripted, so that the curves show the strategies alone. An answer has six steps, each
of them one of four, and is right if all are. The policy takes the right step with a probability between 0.4 and 0.9,
which differs from problem to problem and from step to step, and the others alike. A value says of a partial answer that
has gone right 1, of another 0, plus normal noise (σ = --noise) which is the same whenever the same text is asked about.
Prints a line for each strategy and budget: steps drawn on average, accuracy, its 95% interval (Wilson).
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from functools import cache
from math import log
from typing import Any

from posttrain.evaluation.statistics import wilson
from posttrain.search.search import Place, Search, grow
from posttrain.search.strategies.beam import beam
from posttrain.search.strategies.best_of_n import best_of_n
from posttrain.search.strategies.mcts import mcts
from posttrain.search.strategies.self_consistency import self_consistency
from posttrain.search.strategies.tree_of_thoughts import tree_of_thoughts
from posttrain.search.tree import Step, Tree
from posttrain.seeds import seed_for

DEPTH, LETTERS = 6, "wxyz"
SHAPE = {"branching": 4, "depth": DEPTH}
STRATEGIES: Mapping[str, Sequence[Search]] = {
    "self_consistency": [Search("", self_consistency, (("n", n),)) for n in (1, 2, 4, 8, 16, 32, 64)],
    "best_of_n": [Search("", best_of_n, (("n", n),)) for n in (1, 2, 4, 8, 16, 32, 64)],
    "beam": [Search("", beam, (("width", w), *SHAPE.items())) for w in (1, 2, 4, 8, 16)],
    "tree_of_thoughts, depth first": [
        Search("", tree_of_thoughts, (("order", "depth"), ("budget", b), *SHAPE.items())) for b in (6, 12, 24, 48, 96)
    ],
    "mcts": [Search("", mcts, (("simulations", s), *SHAPE.items())) for s in (6, 12, 24, 48, 96)],
}


class World:
    """Problems, what a policy writes, and what a noisy value says of it. All of it derives from names."""

    def __init__(self, noise: float) -> None:
        self.noise = noise

    @staticmethod
    @cache
    def right(problem: int, place: int) -> tuple[str, float]:
        """The right step of a problem, and how likely the policy takes it."""
        drawn = random.Random(seed_for("problem", problem, place))
        return drawn.choice(LETTERS), drawn.uniform(0.4, 0.9)

    def is_right(self, problem: int, text: str) -> bool:
        return all(self.right(problem, i)[0] == letter for i, letter in enumerate(text))

    def value(self, problem: int, text: str) -> float:
        noise = random.Random(seed_for("value", problem, text)).gauss(0.0, self.noise)
        return float(self.is_right(problem, text)) + noise

    def step(self, problem: int, text: str, *names: Any) -> Step:
        """The policy's next step."""
        best, chance = self.right(problem, len(text))
        drawn = random.Random(seed_for("step", problem, text, *names))
        letter = best if drawn.random() < chance else drawn.choice([x for x in LETTERS if x != best])
        p = chance if letter == best else (1 - chance) / (len(LETTERS) - 1)
        return Step((ord(letter),), (log(p),), letter, len(text) + 1 == DEPTH)


def played(world: World, search: Search, problems: int) -> tuple[float, float]:
    """Steps drawn for a problem on average, and the share of problems whose answer is right."""
    trees = [Tree() for _ in range(problems)]

    def draw(places: Sequence[Place]) -> list[Step]:
        return [_drawn(world, trees[p.tree], p) for p in places]

    def value(nodes: Sequence[tuple[int, int]]) -> list[float]:
        return [world.value(i, trees[i].answer(n).text) for i, n in nodes]

    answers = grow(search, trees, draw, value)
    best = [t.answer(own[0]).text if own else "" for t, own in zip(trees, answers, strict=True)]
    solved = [len(text) == DEPTH and world.is_right(i, text) for i, text in enumerate(best)]
    return sum(t.tokens for t in trees) / problems, sum(solved) / problems


def _drawn(world: World, tree: Tree, p: Place) -> Step:
    before = tree.answer(p.node).text
    made = world.step(p.tree, before, p.node, p.sample)
    while p.whole and not made.ended:
        after = world.step(p.tree, before + made.text, p.node, p.sample)
        made = Step(made.tokens + after.tokens, made.logp + after.logp, made.text + after.text, after.ended)
    return made


def figure(curves: Mapping[str, Sequence[Sequence[float]]], path: str) -> None:
    """Draw accuracy against steps, with bands."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    made = Figure(figsize=(7.2, 4.6), dpi=160, layout="constrained")
    axes = made.add_subplot()
    for name, points in curves.items():
        x, y, low, high = zip(*points, strict=True)
        (line,) = axes.plot(x, y, marker="o", markersize=4, label=name)
        axes.fill_between(x, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_xlabel("steps drawn for a problem")
    axes.set_ylabel("accuracy")
    axes.legend(frameon=False)
    made.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--noise", type=float, default=0.3)
    parser.add_argument("--figure")
    a = parser.parse_args()
    curves: dict[str, list[tuple[float, ...]]] = {}
    for name, searches in STRATEGIES.items():
        for search in searches:
            steps, accuracy = played(World(a.noise), search, a.problems)
            curves.setdefault(name, []).append((steps, accuracy, *wilson(accuracy * a.problems, a.problems)))
            print(name, " ".join(f"{x:.3f}" for x in curves[name][-1]))
    if a.figure:
        figure(curves, a.figure)
    print(f"RESULT {json.dumps({'curves': curves, 'problems': a.problems, 'noise': a.noise})}")


if __name__ == "__main__":
    main()

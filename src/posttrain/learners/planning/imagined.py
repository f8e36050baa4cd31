"""Imagined rollouts: a speaker tells how to reach goals that nobody has tried, and offline learning does the rest.

Real rollouts reach a few goals of a grid. For each of the others a speaker imagines rollouts in words. One that does
not begin where it was asked to, steps where no move leads or contradicts what the data have shown is dropped; the
reward of a step is that of the goal's definition. Q-learning on the fixed steps of one goal, where actions that the
data do not hold are never taken:

    Q_g(s, a) = r_g(s') + γ max_(a' in data(s')) Q_g(s', a')
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import cast

import numpy as np

from posttrain.errors import ConfigError
from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.world import State
from posttrain.learners.worlds.goal_grid import MOVES, Cell, GoalGrid
from posttrain.seeds import seed_for

Steps = list[tuple[Cell, int, Cell]]
Q = dict[Cell, dict[int, float]]
SHORTEST = 30  # of the limits of a rollout's steps, which grow with the grid


def written(steps: Steps) -> str:
    """A rollout in words: `(0,0) east; (1,0) south; (1,1)`."""
    said = [f"({s[0]},{s[1]}) {GoalGrid.actions[a]}" for s, a, _ in steps]
    end = steps[-1][2]
    return "; ".join([*said, f"({end[0]},{end[1]})"])


def read_steps(text: str | None) -> Steps | None:
    """Read a rollout; None where a part is neither a cell with a move nor, at the end, a cell alone."""
    parts = [re.fullmatch(r"\s*\((\d+), ?(\d+)\) ?([a-z]*)\.?\s*", part) for part in (text or "").split(";")]
    if len(parts) < 2 or None in parts:
        return None
    found = [((int(p[1]), int(p[2])), p[3]) for p in parts if p]
    if found[-1][1] or any(move not in GoalGrid.actions for _, move in found[:-1]):
        return None
    cells = [cell for cell, _ in found]
    return [(c, GoalGrid.actions.index(m), after) for (c, m), after in zip(found, cells[1:], strict=False)]


def plausible(steps: Steps, start: Cell, size: int, known: Mapping[tuple[Cell, int], Cell]) -> bool:
    """Whether a rollout begins at the start, makes moves of one cell on the grid, and contradicts no known step."""
    if steps[0][0] != start:
        return False
    for cell, action, after in steps:
        moved = (cell[0] + MOVES[action][0], cell[1] + MOVES[action][1])
        inside = all(0 <= x < size for x in after)
        if not inside or after not in (moved, cell) or known.get((cell, action), after) != after:
            return False
    return True


def offline_q(steps: Steps, target: Cell, discount: float) -> Q:
    """Q of a goal on fixed steps; a pair that they do not hold has no value."""
    q: Q = {}
    for cell, action, _ in steps:
        q.setdefault(cell, {})[action] = 0.0
    for _ in q:  # no path to the goal meets more cells
        for cell, action, after in steps:
            rest = 0.0 if after == target else discount * max(q.get(after, {}).values(), default=0.0)
            q[cell][action] = float(after == target) + rest
    return q


def best_path(world: GoalGrid, start: Cell, slips: float = 0.0, seed: int = 0) -> Steps:
    """A shortest rollout to the goal of the world, with a share of random moves."""
    action_of = _best_actions(world.target, world.size, world.wall)
    drawn = np.random.default_rng(seed_for(seed, "path", *start, *world.target))
    steps: Steps = []
    cell = start
    while cell != world.target and len(steps) < limit(world):
        action = int(drawn.integers(4)) if drawn.random() < slips else action_of[cell]
        steps.append((cell, action, world.moved(cell, action)))
        cell = steps[-1][2]
    return steps


@lru_cache(maxsize=256)
def _best_actions(target: Cell, size: int, wall: frozenset[Cell]) -> dict[State, int]:
    table = GoalGrid(target=target, size=size, wall=[*wall]).table()
    return dict(zip(table.states, value_iteration(table).Q.argmax(axis=1).tolist(), strict=True))


def limit(world: GoalGrid) -> int:
    """The steps after which a rollout is cut; enough for the shortest way from any cell."""
    return max(SHORTEST, len(world.cells()))


def imagine(speaker: Speaker, world: GoalGrid, starts: Sequence[Cell]) -> list[str | None]:
    """Ask for a rollout to the goal of the world from each start."""
    questions = []
    for start in starts:
        right = best_path(world, start)
        elsewhere = [GoalGrid(target=c, size=world.size, wall=[*world.wall]) for c in world.cells() if c != start]
        others = [w for w in elsewhere[:: max(1, len(elsewhere) // 4)] if w.target != world.target]
        wrong = [written(best_path(w, start)) for w in others]
        blind = straight(start, world.target)
        wrong += [written(blind)] if blind != right else []
        text = (
            f"On a grid of {world.size} by {world.size} cells row 0 is in the north and column 0 in the west. The "
            f"task: {world.goal}. Tell the moves from ({start[0]},{start[1]}), such as: (0,0) east; (1,0) south; (1,1)"
        )
        questions.append(Question(text, (), written(right), tuple(wrong)))
    return speaker.answer(questions)


def straight(start: Cell, target: Cell) -> Steps:
    """The moves of one who knows of no wall: first along the row, then along the column."""
    steps: Steps = []
    cell = start
    while cell != target:
        east = target[0] - cell[0]
        action = (3 if east > 0 else 2) if east else (1 if target[1] > cell[1] else 0)
        after = (cell[0] + MOVES[action][0], cell[1] + MOVES[action][1])
        steps.append((cell, action, after))
        cell = after
    return steps


def reached(world: GoalGrid, q: Q) -> float:
    """The share of cells from which the best known actions lead to the goal; one stands still where none is known."""
    found = 0
    starts = [cast(Cell, s) for _, s in world.starts()]
    for start in starts:
        cell = start
        for _ in range(limit(world)):
            if cell == world.target or cell not in q:
                break
            cell = world.moved(cell, max(q[cell], key=lambda a: q[cell][a]))
        found += cell == world.target
    return found / len(starts)


def compared(
    world: GoalGrid, speaker: Speaker, seeds: list[int], *, tried: int, rollouts: int, imagined: int
) -> Comparison:
    """Goals that nobody has tried: with imagined rollouts, and with the policy of the nearest goal that was tried."""
    helped, alone, dropped, kept = [], [], [], {}
    cells = world.cells()
    if not 1 <= tried < len(cells):
        raise ConfigError(f"procedure.tried: {tried} of {len(cells)} goals; at least 1, and one goal must be left")
    goals = {c: GoalGrid(target=c, size=world.size, wall=[*world.wall]) for c in cells}
    for seed in seeds:
        drawn = np.random.default_rng(seed_for(seed, "imagined"))
        order = [cells[i] for i in drawn.permutation(len(cells))]
        real = {t: [best_path(goals[t], s, 0.3, seed) for s in pick(drawn, cells, t, rollouts)] for t in order[:tried]}
        known = {(s, a): after for paths in real.values() for path in paths for s, a, after in path}
        policies = {t: offline_q([x for path in paths for x in path], t, world.discount) for t, paths in real.items()}
        told, untold = [], []
        for target in order[tried:]:
            starts = pick(drawn, cells, target, imagined)
            read = [read_steps(text) for text in imagine(speaker, goals[target], starts)]
            good = [p for p, s in zip(read, starts, strict=True) if p and plausible(p, s, world.size, known)]
            dropped.append(1 - len(good) / len(starts))
            q = offline_q([x for path in good for x in path], target, world.discount)
            nearest = min(policies, key=lambda t: abs(t[0] - target[0]) + abs(t[1] - target[1]))
            told.append(reached(goals[target], {**policies[nearest], **q}))
            untold.append(reached(goals[target], policies[nearest]))
            kept[goals[target].goal] = [written(p) for p in good]
        helped.append(float(np.mean(told)))
        alone.append(float(np.mean(untold)))
    return Comparison(helped, alone, {"dropped": float(np.mean(dropped))}, kept)


def grounding(world: GoalGrid, seed: int, count: int = 4) -> list[dict[str, str]]:
    """What a model is fine-tuned on before it imagines: the four kinds of texts about real rollouts, for imitation/sft.

    What a move leads to, what a rollout did, how to reach a goal, and where several moves end.
    """
    drawn = np.random.default_rng(seed_for(seed, "grounding"))
    rows = []
    for start in pick(drawn, world.cells(), world.target, count):
        steps = best_path(world, start)
        (first, action, after), moves = steps[0], ", ".join(world.actions[a] for _, a, _ in steps)
        pairs = [
            (
                f"From ({first[0]},{first[1]}) a move to the {world.actions[action]} leads to",
                f"({after[0]},{after[1]})",
            ),
            (f"What does this rollout do? {written(steps)}", world.goal),
            (f"The task: {world.goal}. Tell the moves from ({start[0]},{start[1]}).", written(steps)),
            (f"From ({start[0]},{start[1]}) the moves {moves} end in", "({},{})".format(*steps[-1][2])),
        ]
        rows += [{"prompt": asked, "completion": f" {said}"} for asked, said in pairs]
    return rows


def pick(drawn: np.random.Generator, cells: Sequence[Cell], target: Cell, count: int) -> list[Cell]:
    """Different cells to begin in."""
    others = [c for c in cells if c != target]
    return [others[i] for i in drawn.permutation(len(others))[:count]]

"""What a writer of reward code is told: the world, what became of earlier programs, and how the learner behaved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.learners.coding.reward_code import facts
from posttrain.learners.q_learning import Q
from posttrain.learners.world import Table, World
from posttrain.search.evolution.candidate import Candidate

SHOWN = 20  # steps of a behaviour
CODE = """Write a Python function that says what a step earns. A learner that learns from it alone should reach the
goal.

def reward(state, action, after):
    ...
    return total, {{"name of a component": number}}

`state` and `after` are dictionaries such as {example}; `action` is one of {actions}.
Give reward for progress towards the goal and not only for the goal itself. The function must depend on its arguments
alone. It may use {library}. Reply with the program in a block ```python ... ```."""
ADVICE = """The reward is what the learner is trained on, the return is what counts. Rewrite the function:
- If the return stays near 0, write the reward anew.
- If a component hardly changes, the learner does not learn from it: change its scale, rewrite it or leave it out.
- If a component is much larger than the others, make it smaller."""
WISHES = {
    "create": "",
    "improve": "Write a better program.",
    "repair": "Write a program without this problem.",
    "mutate": "Change one component of this program, or add one, so that it becomes better.",
    "cross": "Make one better program of these two: combine the best components of both.",
}


def task(world: World, table: Table, *, numpy: bool) -> str:
    """Describe a world to a writer: its goal, actions and states, and what the program must look like."""
    first = int(table.start.argmax())
    example = facts(world, table.states[first])
    library = "numpy and the standard library" if numpy else "the standard library"
    asked = CODE.format(example=example, actions=", ".join(map(repr, world.actions)), library=library)
    return f"The goal: {world.goal}.\nIn words, {example} is: {world.describe(table.states[first])}\n\n{asked}"


def history(parents: Sequence[Candidate]) -> str:
    """Describe the programs that a new one is made of."""
    return "\n\n".join(f"A program:\n```python\n{p.text}```\n{outcome(p)}" for p in parents)


def outcome(candidate: Candidate) -> str:
    """Say what became of a program: its problem, or the statistics of its learner (Eureka's reward reflection)."""
    if not candidate.works:
        return f"It could not be used: {candidate.report.get('problem') or candidate.problem}"
    curves = candidate.report["curves"]
    lines = [curve_line(name, curve) for name, curve in curves.items()]
    head = f"A learner was trained on it. Means at {len(curves['return'])} checkpoints:"
    return "\n".join([head, *lines, f"Then it behaved like this:\n{candidate.report['behaviour']}"])


def curve_line(name: str, curve: Sequence[float]) -> str:
    """Write a curve with its largest, mean and least value."""
    values = ", ".join(f"{x:.2f}" for x in curve)
    mean = sum(curve) / len(curve)
    return f"{name}: [{values}], max {max(curve):.2f}, mean {mean:.2f}, min {min(curve):.2f}"


def behaviour(world: World, q: Q, seed: int, steps: int = SHOWN) -> str:
    """Describe one episode of the greedy policy in words."""
    state = world.reset(seed)
    lines = [world.describe(state)]
    for _ in range(steps):
        row = q.get(state) or [0.0] * len(world.actions)
        action = row.index(max(row))
        step = world.step(action)
        lines.append(f"{world.actions[action]} -> {world.describe(step.state)}")
        state = step.state
        if step.done:
            return "\n".join([*lines, f"It ended and earned {step.reward:g}."])
    return "\n".join([*lines, "It did not end."])


def wish(told: str, operator: str, parents: Sequence[Candidate], said: Mapping[int, Any] | None = None) -> str:
    """Return the whole prompt for a new program. `said`: what a person said of a parent, by its number."""
    remarks = [f"Somebody who watched it said: {x}" for p in parents if (x := (said or {}).get(p.number))]
    advice = [ADVICE] if any(p.works for p in parents) else []
    return "\n\n".join(part for part in (told, history(parents), *remarks, *advice, WISHES[operator]) if part)

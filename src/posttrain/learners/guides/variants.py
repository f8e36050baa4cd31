"""Exploiting Contextual Structure to Generate Useful Auxiliary Tasks (TaskExplore; Quartey et al., 2023).

The skeleton of a task stays, and a speaker says which other objects would make sense in it. All of these variants are
learned from the steps that the task itself needs, for every phase u of their automata:

    Q_k,u(s, a) ← r_k,u + γ max_a' Q_k,u'(s', a')

The paper's skeletons are formulas of temporal logic; here a task is some things done in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import cast

from posttrain.learners.finite import Finite
from posttrain.learners.q_learning import Hooks, Learned, Numbers, Q, Settings, Task, Transition, q_learning
from posttrain.learners.questions import NO, YES, narrated_world
from posttrain.learners.remembering import InOrder
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.world import State


def named(skeleton: Sequence[str], thing: str) -> tuple[str, ...]:
    """The task of a skeleton, such as (take the {}, cook the {}), with an object."""
    return tuple(part.format(thing) for part in skeleton)


def variants(
    world: Finite, speaker: Speaker, skeleton: Sequence[str], own: str, objects: Sequence[str]
) -> dict[str, Task]:
    """Ask which objects make sense in the place of one's own, and make their tasks. The own one is no variant."""
    others = [thing for thing in dict.fromkeys(objects) if thing != own]
    said = speaker.answer([_question(world, skeleton, own, thing) for thing in others])
    return {
        thing: auxiliary(InOrder(world, named(skeleton, thing)))
        for thing, answer in zip(others, said, strict=True)
        if answer == YES
    }


def auxiliary(variant: InOrder) -> Task:
    """The task to learn from steps in states (state of the world, phase of another task)."""

    def move(phase: int, step: Transition) -> tuple[int, float, bool]:
        before, after = _inner(step.state), _inner(step.after)
        then = variant.moved(phase, before, step.action, after)
        done = then == len(variant.task)
        return then, float(done), done or variant.world.ends(after)

    return Task(move, len(variant.task), _inner)


def possible(world: Finite, skeleton: Sequence[str], own: str, objects: Sequence[str]) -> list[str]:
    """The other objects with which the task can be done in the world."""
    goals = set(narrated_world(world).goals)
    return [thing for thing in dict.fromkeys(objects) if thing != own and set(named(skeleton, thing)) <= goals]


def transferred(
    world: Finite,
    skeleton: Sequence[str],
    own: str,
    new: Sequence[str],
    tasks: Mapping[str, Task],
    seed: int,
    first: Settings,
    then: Settings,
) -> Learned:
    """Learn one's own task, and the others from its steps; then each new task, from what is known of it.

    The returns are the means of the new tasks.
    """
    main = q_learning(InOrder(world, named(skeleton, own)), seed, first, Hooks(tasks=tasks))
    later = []
    for thing in new:
        start = _known(world, main.tasks.get(thing))
        later.append(q_learning(InOrder(world, named(skeleton, thing)), seed, then, Hooks(start=start)))
    returns = [fmean(each) for each in zip(*(one.returns for one in later), strict=True)]
    return Learned(main.q, returns, later[0].steps, main.tasks)


def _question(world: Finite, skeleton: Sequence[str], own: str, thing: str) -> Question:
    task = ", then ".join(named(skeleton, own))
    truth = YES if set(named(skeleton, thing)) <= set(narrated_world(world).goals) else NO
    return Question(f"The task: {task}.\nCould the same be done with the {thing}?", (YES, NO), truth)


def _known(world: Finite, q: Q | None) -> Numbers:
    """What is known of a task: its table, and 0 elsewhere."""
    return lambda state: (q or {}).get(state, [0.0] * len(world.actions))


def _inner(state: State) -> State:
    return cast(tuple[State, int], state)[0]

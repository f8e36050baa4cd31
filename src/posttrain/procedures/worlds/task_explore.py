"""Exploiting Contextual Structure to Generate Useful Auxiliary Tasks (TaskExplore; Quartey et al., 2023).

A task has a skeleton, such as to take, chop and cook one thing. A speaker says which other objects would make sense in
it; these tasks are learned off policy from the steps of the first. When one of them is asked for, it is half known.

    Q_k,u(s, a) ← r_k,u + γ max_a' Q_k,u'(s', a') for every task k and phase u

The learner without help begins each new task anew. A skeleton is an order of things to do; the paper has temporal
logic.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from posttrain.errors import ConfigError
from posttrain.learners.guides.variants import named, possible, transferred, variants
from posttrain.learners.remembering import InOrder
from posttrain.procedures.helping import compared, finite_world_of, learning
from posttrain.training.session import Session

FIRST = {"episodes": 60, "explore": 0.3}
THEN = {"episodes": 10}


def task_explore(
    session: Session,
    *,
    world: str = "cooking",
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    skeleton: tuple[str, ...] | list[str] = ("take the {}", "chop the {}", "cook the {}"),
    own: str = "tomato",
    objects: tuple[str, ...] | list[str] = ("onion", "carrot", "spoon"),
    first: dict[str, Any] | None = None,
    then: dict[str, Any] | None = None,
    seeds: int = 5,
) -> dict[str, float]:
    """Ask for other objects -> Q-learning of the task and of its variants -> each new task, and without.

    Settings:
        world: name of a world that says what its steps do, or ./mine.py.
        options: settings of the world; null is its defaults.
        speaker: name of the role that is asked.
        skeleton: what is to be done in its order, with {} for the object; at least 1.
        own: name of the object of the task itself.
        objects: other objects that may make sense; 1 or more, of which at least one can.
        first: options of learners/q_learning.py for the task itself, over {episodes: 60, explore: 0.3}; null is these.
        then: options for each new task, over {episodes: 10}; null is these.
        seeds: learners with help, and as many without; at least 1.
    """
    made = finite_world_of(session, world, options)
    new = possible(made, skeleton, own, objects)
    if not new:
        raise ConfigError(f"procedure.objects: {world} can do {skeleton[0]!r} with none of {', '.join(objects)}")
    tasks = variants(made, session.speaker(speaker), skeleton, own, objects)
    learn = partial(
        transferred,
        made,
        skeleton,
        own,
        new,
        first=learning({**FIRST, **(first or {})}),
        then=learning({**THEN, **(then or {})}),
    )
    session.artefact("variants", sorted(tasks))
    own_task = InOrder(made, named(skeleton, own))
    return compared(session, own_task, partial(learn, tasks), partial(learn, {}), seeds)

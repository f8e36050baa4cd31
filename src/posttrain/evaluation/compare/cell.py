"""One cell of a comparison: one method at one seed, measured while it learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from posttrain.catalogue import index as catalogue
from posttrain.config.load import load
from posttrain.evaluation.compare.contender import Contender
from posttrain.evaluation.compare.task import Task
from posttrain.launch.run import open_session
from posttrain.training.session import Session
from posttrain.viewer.display import Display

Point = dict[str, float]  # "step", and what the task measures
Seen = Callable[[int], None]


def curve(contender: Contender, task: Task, seed: int, seen: Seen = lambda _: None) -> list[Point]:
    """Train and measure: before the first step and at `task.points` steps, the last of all included.

    `seen` is told after every step how many are done. What was a copy of the policy at the start is its reference,
    for the measurements of methods without one too.
    """
    run = load({**task.run, **contender.named, "data": "of the task", "seed": seed})
    with open_session(run, write=False, functions=tuple(task.rewards)) as session:
        session.copy("policy", "reference")
        watch = Watch(session, task, due(steps_of(task), task.points), seen)
        watch.measure(0)
        session.run.display = watch
        train(session, contender, task)
        if watch.points[-1]["step"] < watch.done:  # a procedure takes as many steps as it takes
            watch.measure(watch.done)
    return watch.points


def train(session: Session, contender: Contender, task: Task) -> None:
    data = {name: task.records[kind] for name, kind in contender.reads(task).items()}
    if contender.is_procedure:
        catalogue.load_procedure(contender.path)(session, **data, **contender.settings)
        return
    sampled = "prompts" in contender.reads(task).values()
    session.train(contender.method(), data, rewards=None if sampled else (), **contender.train)


def steps_of(task: Task) -> int:
    """The task's budget: all methods take as many steps, of as many records each."""
    return int(task.run["train"]["steps"])


def due(total: int, points: int) -> set[int]:
    """Steps at which to measure, closer together at the start, where a policy moves fastest."""
    return {max(1, round(total * (k / points) ** 2)) for k in range(1, points + 1)}


class Watch(Display):
    """Measures at the steps that are due, counted over all stages."""

    def __init__(self, session: Session, task: Task, due: set[int], seen: Seen) -> None:
        self.session = session
        self.task = task
        self.due = due
        self.seen = seen
        self.points: list[Point] = []
        self.done = 0  # steps of all stages
        self.stage = 0  # steps of this stage

    def start(self, title: str, total_steps: int, header: Sequence[str] = (), first_step: int = 0) -> None:  # noqa: ARG002
        self.stage = first_step

    def measure(self, step: int) -> None:
        self.points.append({"step": float(step), **self.task.measure(self.session, f"step-{step}")})

    def step(self, step: int, metrics: Mapping[str, Any]) -> None:  # noqa: ARG002
        if step == self.stage:  # more to say of the same step
            return
        self.stage, self.done = step, self.done + 1
        if self.done in self.due:
            self.measure(self.done)
        self.seen(self.done)

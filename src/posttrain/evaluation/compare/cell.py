"""One cell of a comparison: one method at one seed, measured while it trains."""

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

Point = dict[str, float]  # "step", and the measurements of the task
OnStep = Callable[[int], None]  # called after every training step with the number of steps taken


def curve(contender: Contender, task: Task, seed: int, on_step: OnStep = lambda _: None) -> list[Point]:
    """Train, and measure before the first step and at `task.points` steps, the last one included.

    `on_step` is called after every step. A copy of the initial policy becomes the reference, so that methods without a
    reference are measured against it too. A task with a curve of its own (`task.after`) is measured after training.
    """
    run = load({**task.run, **contender.named, "seed": seed}, complete=False)  # the data are those of the task
    with open_session(run, write=False, functions=tuple(task.rewards)) as session:
        if task.after is not None:
            session.run.display = Watch(session, task, set(), on_step)
            train(session, contender, task)
            return [{"step": float(i), **point} for i, point in enumerate(task.after(session, seed))]
        session.copy("policy", "reference")
        watch = Watch(session, task, due(steps_of(task), task.points), on_step)
        watch.measure(0)
        session.run.display = watch
        train(session, contender, task)
        if watch.points[-1]["step"] < watch.done:  # a procedure chooses its own number of steps
            watch.measure(watch.done)
    return watch.points


def train(session: Session, contender: Contender, task: Task) -> None:
    """Train a contender on the data of the task."""
    data = {name: task.records[kind] for name, kind in contender.reads(task).items()}
    if contender.is_procedure:
        catalogue.load_procedure(contender.path)(session, **data, **contender.settings)
        return
    sampled = "prompts" in contender.reads(task).values()
    session.train(contender.method(), data, rewards=None if sampled else (), **contender.train)


def steps_of(task: Task) -> int:
    """Return the task's budget: the number of training steps, the same for all methods."""
    return int(task.run["train"]["steps"])


def due(total: int, points: int) -> set[int]:
    """Return the steps at which to measure: denser at the start, where a policy moves fastest."""
    return {max(1, round(total * (k / points) ** 2)) for k in range(1, points + 1)}


class Watch(Display):
    """Measures the policy at the steps that are due, counted over all stages. As a display it is called every step."""

    def __init__(self, session: Session, task: Task, due: set[int], on_step: OnStep) -> None:
        self.session = session
        self.task = task
        self.due = due
        self.on_step = on_step
        self.points: list[Point] = []
        self.done = 0  # steps of all stages
        self.stage = 0  # steps of this stage

    def start(self, title: str, total_steps: int, header: Sequence[str] = (), first_step: int = 0) -> None:  # noqa: ARG002
        """Begin a stage at its first step."""
        self.stage = first_step

    def measure(self, step: int) -> None:
        """Measure the policy and add a point."""
        self.points.append({"step": float(step), **self.task.measure(self.session, f"step-{step}")})

    def step(self, step: int, metrics: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Count a step, and measure if it is due."""
        if step == self.stage:  # further metrics of the same step
            return
        self.stage = step
        self.done += 1
        if self.done in self.due:
            self.measure(self.done)
        self.on_step(self.done)

"""Model-predictive control whose weights a speaker chooses, behind a verifier that has the last word.

    u* = argmin_u Σ_t w_speed (v_max - v_t) + w_above max(0, v_t - 1) + w_jerk |v_t - v_(t-1)| + w_change [lane changed]

over all sequences of the horizon, the cars ahead driving on at speed 1. A speaker says how to drive, which fixes w. The
verifier assumes that they brake at once, for good: an action is safe if one can still stop behind them,

    gap' >= v' (v' - 1) / 2,

and braking keeps that true for ever. What it refuses is asked again with the reason, for a bounded number of times;
then the optimiser chooses among the first actions that are safe, of which braking is one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from posttrain.errors import ConfigError
from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.value_iteration import evaluated
from posttrain.learners.worlds.lane import FASTEST, WISHES, Lane, Road, Wished

NOMINAL, WORST = (1, 1), (0, 0)  # speeds of the cars ahead
USUAL = "cruise"


@dataclass(frozen=True)
class Weights:
    """What a step of the horizon costs; each at least 0."""

    speed: float
    above: float
    jerk: float
    change: float


WAYS: Mapping[str, Weights] = MappingProxyType(
    {
        USUAL: Weights(1.0, 0.0, 0.5, 0.5),
        "hurry": Weights(1.0, 0.0, 0.0, 0.0),
        "creep": Weights(1.0, 5.0, 0.0, 0.0),
        "glide": Weights(1.0, 0.0, 2.0, 2.0),
    }
)


def refusal(world: Lane, state: Road, action: int) -> str | None:
    """Why an action is not safe; None where it is."""
    after = world.moved(state, action, WORST)
    gap = after.gaps()[after.lane]
    needed = after.speed * (after.speed - 1) // 2
    if after.crashed or gap < needed:
        left = "nothing" if after.crashed else f"{gap} lengths"
        return f"if the car ahead stopped, {left} would be left, and at speed {after.speed} one needs {needed} to stop"
    return None


@dataclass(frozen=True)
class Control:
    """The optimiser. `horizon`: actions of a sequence."""

    world: Lane
    horizon: int = 3

    def propose(self, state: Road, weights: Weights, *, safe: bool = False) -> int:
        """The first action of the cheapest sequence, or of the cheapest whose first action is safe.

        Of equal ones it is the first in the order of the actions, which begins with braking.
        """
        costs = _costs(self, state, weights, self.horizon)
        actions = range(len(costs))
        first = [a for a in actions if not safe or refusal(self.world, state, a) is None] or [0]  # too late for all
        return min(first, key=lambda a: costs[a])

    def step_cost(self, before: Road, after: Road, w: Weights) -> float:
        """What one step of the horizon costs; infinite where it hits somebody even if nobody brakes."""
        if after.crashed:
            return math.inf
        jolt, changed = abs(after.speed - before.speed), after.lane != before.lane
        return (
            w.speed * (FASTEST - after.speed) + w.above * max(0, after.speed - 1) + w.jerk * jolt + w.change * changed
        )


@lru_cache(maxsize=50_000)
def _costs(control: Control, state: Road, weights: Weights, steps: int) -> tuple[float, ...]:
    """The cost of the cheapest sequence of `steps` actions that begins with each action."""
    found = []
    for action in range(len(control.world.actions)):
        after = control.world.moved(state, action, NOMINAL)
        cost = control.step_cost(state, after, weights)
        rest = 0.0 if steps == 1 or after.crashed else min(_costs(control, after, weights, steps - 1))
        found.append(cost + rest)
    return tuple(found)


@dataclass(frozen=True)
class Decision:
    """An action, the way of driving that proposed it (None: the verifier chose it), and how often one was refused."""

    action: int
    way: str | None
    refused: int


@dataclass
class Driver:
    """A speaker who says how to drive, the optimiser, and the verifier.

    `rounds`: how often the speaker is asked about one situation; at least 1.
    """

    control: Control
    speaker: Speaker | None
    rounds: int = 2

    def __post_init__(self) -> None:
        self._truth = None if self.speaker is None else best_way(self.control)

    def decide(self, state: Road) -> Decision:
        """Ask, optimise, verify. What could not be read is the usual way, and so is everything without a speaker."""
        reasons: list[str] = []
        way = USUAL
        for _ in range(self.rounds if self.speaker else 0):
            way = self._said(state, reasons)
            action = self.control.propose(state, WAYS[way])
            reason = refusal(self.control.world, state, action)
            if reason is None:
                return Decision(action, way, len(reasons))
            reasons.append(f"'{way}' was refused: {reason}.")
        return Decision(self.control.propose(state, WAYS[way], safe=True), None, len(reasons))

    def _said(self, state: Road, reasons: list[str]) -> str:
        assert self.speaker is not None
        world = self.control.world
        text = " ".join([f"The task: {world.goal}", world.describe(state), *reasons, "How do you drive on?"])
        (said,) = self.speaker.answer([Question(text, tuple(WAYS), self._truth)])
        return said if said is not None and said in WAYS else USUAL


@lru_cache(maxsize=8)
def best_way(control: Control) -> str:
    """The way that is worth most in this world if one always drives so, exactly."""
    table, worth = control.world.table(), {}
    for way, weights in WAYS.items():
        policy = np.zeros(table.R.shape)
        for row, state in enumerate(table.states):
            policy[row, control.propose(cast(Road, state), weights, safe=True)] = 1.0
        worth[way] = float(table.start @ evaluated(table, policy))
    return max(worth, key=lambda way: worth[way])


def drive(driver: Driver, *, seed: int, steps: int) -> dict[str, float]:
    """Drive for some steps: mean reward, crashes, and what was refused and chosen by the verifier, per step."""
    world = driver.control.world
    state = cast(Road, world.reset(seed))
    earned = crashes = refused = overruled = 0.0
    for _ in range(steps):
        decision = driver.decide(state)
        step = world.step(decision.action)
        earned, crashes = earned + step.reward, crashes + step.done
        refused, overruled = refused + decision.refused, overruled + (decision.way is None)
        if step.done:
            break
        state = cast(Road, step.state)
    return {"reward": earned / steps, "crashes": crashes, "refused": refused / steps, "overruled": overruled / steps}


@lru_cache(maxsize=8)
def _controls(road: tuple[tuple[str, Any], ...], horizon: int) -> dict[Wished, Control]:
    if "wish" in dict(road):
        raise ConfigError("procedure.options.wish: there are drives with every passenger; leave it out")
    return {wish: Control(Lane(**{**dict(road), "wish": wish}), horizon) for wish in WISHES}


def compared(
    road: Mapping[str, Any], speaker: Speaker, seeds: list[int], *, steps: int, rounds: int, horizon: int
) -> Comparison:
    """A speaker's ways of driving against the usual way behind the same verifier, for every wish of a passenger.

    `road`: settings of the world but for the wish.
    """
    helped, alone, found = [], [], []
    controls = _controls(tuple(sorted(road.items())), horizon)
    for seed in seeds:
        told = [drive(Driver(c, speaker, rounds), seed=seed, steps=steps) for c in controls.values()]
        untold = [drive(Driver(c, None, rounds), seed=seed, steps=steps) for c in controls.values()]
        helped.append(fmean(x["reward"] for x in told))
        alone.append(fmean(x["reward"] for x in untold))
        found += told
    kept = {wish: best_way(c) for wish, c in controls.items()}
    numbers = {name: fmean(x[name] for x in found) for name in ("crashes", "refused", "overruled")}
    return Comparison(helped, alone, numbers, kept)

"""An agent with tools over a controller of traffic lights: it follows the controller unless something is unusual.

Each step the agent looks at the crossing through tools, which answer in words, for a bounded number of calls. Then it
names one phase with a reason. Its phase replaces the controller's only if a tool has reported something unusual, and
never where the exit of the road is blocked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.q_learning import Settings, greedy, q_learning
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.world import State
from posttrain.learners.worlds.crossing import ROADS, Crossing, Traffic

DECIDE = "decide now"
UNUSUAL = "look for what is unusual"
PROPOSED = "the controller's proposal"  # the reason where the agent's phase does not count
PRACTICE = Settings(episodes=300, rate=0.5, decay=0.02, explore=0.3, horizon=60)
Tool = Callable[[Traffic], str]
Controller = Mapping[State, int]


def tools(world: Crossing, controller: Controller) -> dict[str, Tool]:
    """What an agent may look at: three tools of perception, and the controller's proposal."""
    return {
        "count the cars": lambda t: f"{t.first} cars wait {ROADS[0]} and {t.second} {ROADS[1]}.",
        "read the lights": lambda t: f"Green is {ROADS[t.green]}.",
        UNUSUAL: world.unusually,
        "ask the controller": lambda t: f"The controller proposes {world.actions[proposal(controller, t)]}.",
    }


def proposal(controller: Controller, state: Traffic) -> int:
    """What the controller does, which knows nothing of what is unusual; in an unknown state the light stays."""
    return controller.get(state._replace(event=0), state.green)


def trained_controller(world: Crossing, seed: int, settings: Settings = PRACTICE) -> dict[State, int]:
    """A controller that Q-learning has trained on traffic in which nothing is unusual."""
    usual = Crossing(arrivals=world.arrivals, unusual=0.0, longest=world.room)
    return greedy(q_learning(usual, seed, settings).q)


@dataclass(frozen=True)
class Decision:
    """A phase, its reason, the tools that were called, and whether the controller was overridden or the agent stopped.

    `refused`: the agent named a phase that is illegal or that it had no cause for.
    """

    action: int
    reason: str
    called: tuple[str, ...]
    overrides: bool
    refused: bool


@dataclass
class Agent:
    """A speaker with tools. `calls`: of tools in one step, at most. `truth`: the best phase of every state."""

    world: Crossing
    controller: Controller
    speaker: Speaker
    calls: int = 4
    truth: Mapping[State, int] = field(default_factory=dict)

    def decide(self, state: Traffic) -> Decision:
        """Look, then name a phase; what could not be read is the controller's."""
        seen = self._look(state)
        named = self._name(state, seen)
        own = proposal(self.controller, state)
        action, reason = (own, PROPOSED) if named is None else named
        cause = UNUSUAL in seen and state.event != 0
        allowed = self.world.legal(state, action) and (action == own or cause)
        final, why = (action, reason) if allowed else (self._legal(state, own), PROPOSED)
        return Decision(final, why, tuple(seen), final != own, named is not None and not allowed)

    def _look(self, state: Traffic) -> dict[str, str]:
        """What the tools said that the speaker called, until it decides or has called enough."""
        known, seen = tools(self.world, self.controller), dict[str, str]()
        while len(seen) < self.calls:
            left = [*(name for name in known if name not in seen), DECIDE]
            text = f"{self._view(seen)} What do you do next?"
            (said,) = self.speaker.answer([Question(text, tuple(left), left[0])])
            if said is None or said == DECIDE or said not in left:
                break
            seen[said] = known[said](state)
        return seen

    def _name(self, state: Traffic, seen: Mapping[str, str]) -> tuple[int, str] | None:
        text = f"{self._view(seen)} Which light is green next? Answer: phase: {ROADS[0]}; reason: ..."
        own = proposal(self.controller, state)
        best = self.truth.get(state, own) if UNUSUAL in seen else own
        right, wrong = (f"phase: {ROADS[a]}; reason: it is the best for all who wait" for a in (best, 1 - best))
        (said,) = self.speaker.answer([Question(text, (), right, (wrong, "I cannot say."))])
        return read_phase(said)

    def _view(self, seen: Mapping[str, str]) -> str:
        return " ".join([f"You watch a crossing. The task: {self.world.goal}.", *seen.values()])

    def _legal(self, state: Traffic, action: int) -> int:
        return action if self.world.legal(state, action) else 1 - action


def read_phase(text: str | None) -> tuple[int, str] | None:
    """The one phase that a reply names, and its reason; None where it names none, several or gives no reason."""
    roads = re.findall(rf"phase: *({'|'.join(ROADS)})\b", text or "", re.IGNORECASE)
    reason = re.search(r"reason: *(\S.*)", text or "", re.IGNORECASE)
    if len({r.casefold() for r in roads}) != 1 or reason is None:
        return None
    return ROADS.index(roads[0].casefold()), reason[1]


def watch(
    world: Crossing, decide: Callable[[Traffic], Decision], *, seed: int, steps: int
) -> tuple[float, list[Decision]]:
    """The mean reward of a step, and all decisions."""
    state, earned, made = cast(Traffic, world.reset(seed)), 0.0, []
    for _ in range(steps):
        made.append(decide(state))
        step = world.step(made[-1].action)
        state, earned = cast(Traffic, step.state), earned + step.reward
    return earned / steps, made


def alone(world: Crossing, controller: Controller) -> Callable[[Traffic], Decision]:
    """The controller behind the same rule: where its phase is illegal it is the other one."""

    def decide(state: Traffic) -> Decision:
        own = proposal(controller, state)
        legal = world.legal(state, own)
        return Decision(own if legal else 1 - own, PROPOSED, (), not legal, False)

    return decide


def compared(
    world: Crossing, speaker: Speaker, seeds: list[int], *, steps: int, calls: int, practice: int
) -> Comparison:
    """The agent over the controller against the controller alone, in the same traffic."""
    controller = trained_controller(world, seeds[0], replace(PRACTICE, episodes=practice))
    table = world.table()
    truth = dict(zip(table.states, map(int, value_iteration(table).Q.argmax(axis=1)), strict=True))
    agent = Agent(world, controller, speaker, calls, truth)
    told = [watch(world, agent.decide, seed=s, steps=steps) for s in seeds]
    untold = [watch(world, alone(world, controller), seed=s, steps=steps)[0] for s in seeds]
    decisions = [d for _, made in told for d in made]
    numbers = {
        "overrides": sum(d.overrides for d in decisions) / len(decisions),
        "refused": sum(d.refused for d in decisions) / len(decisions),
        "calls": sum(len(d.called) for d in decisions) / len(decisions),
    }
    kept = [{"phase": world.actions[d.action], "reason": d.reason, "tools": [*d.called]} for d in decisions[:steps]]
    return Comparison([x for x, _ in told], untold, numbers, kept)

"""Say, can, pay: the next skill is the one whose usefulness, affordance and payoff have the largest product.

    k* = argmax_k p(k | goal, history) c(k, s) f(k, s)

`p` is said by a speaker who sees the goal and the skills so far, never the state. `c` is the value of the skill
(planning/skills.py) and `f` what it pays, learned from an expert; c = f = 1 is the speaker alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posttrain.learners.finite import Finite
from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.planning.crafting_skills import practised
from posttrain.learners.planning.skills import Practised, skill_values
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.world import Floats, State
from posttrain.learners.worlds.crafting import Crafting
from posttrain.seeds import seed_for

Numbers = Sequence[float] | Floats
DONE = "done"  # always possible
LONGEST_SKILL = 50  # steps after which a skill is given up


def product_rule(useful: Numbers, possible: Numbers, payoff: Numbers | None = None) -> Floats:
    """p c f of each skill. A constant factor of any of them changes no choice."""
    product: Floats = np.array(useful, np.float64) * np.asarray(possible)
    return product if payoff is None else np.asarray(product * np.asarray(payoff))


def beam(
    start: State,
    scores: Callable[[State, tuple[int, ...]], Floats],
    after: Callable[[State, int], State],
    *,
    done: int,
    width: int,
    longest: int,
) -> tuple[int, ...]:
    """The plan with the highest mean of log scores that a beam of `width` finds; it ends with `done` or is `longest`.

    `scores`: of the next skill in a state, behind the plan so far; `after`: the state that a skill is expected to lead
    to. Width 1 is the greedy choice at each step. Without a mean over the steps a short plan would win by being short.
    """
    beams: list[tuple[float, tuple[int, ...], State]] = [(0.0, (), start)]
    finished: list[tuple[float, tuple[int, ...]]] = []
    for _ in range(longest):
        grown = []
        for total, plan, state in beams:
            for k, x in enumerate(scores(state, plan)):
                if x > 0:
                    grown.append((total + math.log(x), (*plan, k), state if k == done else after(state, k)))
        grown.sort(key=lambda each: (-each[0], each[1]))
        finished += [(total / len(plan), plan) for total, plan, _ in grown[:width] if plan[-1] == done]
        beams = [each for each in grown[:width] if each[1][-1] != done]
    finished += [(total / len(plan), plan) for total, plan, _ in beams if plan]
    return max(finished, key=lambda each: (each[0], [-k for k in each[1]]), default=(0.0, ()))[1]


def best_skills(world: Finite, skills: Sequence[Practised]) -> dict[State, str]:
    """The skill of every state that is worth most if the best ones follow; `done` where the episode ends."""
    table = world.table()
    best = skill_values(table, skills).argmax(axis=1)
    rows = zip(table.states, best, table.terminal, strict=True)
    return {state: DONE if end else skills[int(k)].skill.name for state, k, end in rows}


@dataclass(frozen=True)
class Instructed:
    """A world, its practised skills, and a speaker who says what to do next.

    `truth`: the best skill of every state, in words. `stops`: whether the speaker may say that all is done; without,
    the episode ends when the world's does.
    """

    world: Finite
    skills: Sequence[Practised]
    speaker: Speaker
    truth: Mapping[State, str]
    stops: bool = False

    def names(self) -> list[str]:
        """The skills in words, and `done` where the speaker may stop."""
        return [*(p.skill.name for p in self.skills), *([DONE] if self.stops else [])]

    def useful(self, state: State, history: Sequence[int]) -> Floats:
        """p(k | goal, history); the same for all where the speaker's answer could not be read."""
        names = self.names()
        past = ", ".join(names[k] for k in history) or "nothing yet"
        text = f"The task: {self.world.goal}. Done so far: {past}. What is the next step?"
        (said,) = self.speaker.probabilities([Question(text, tuple(names), truth=self.truth[state])])
        return np.full(len(names), 1 / len(names)) if said is None else np.array(said)

    def possible(self, state: State) -> Floats:
        """c(k, s); to be done is always possible."""
        return np.array([*(p.affordance(state) for p in self.skills), *([1.0] if self.stops else [])])


def carry_out(world: Finite, skill: Practised, state: State) -> tuple[State, float, bool]:
    """Use a skill until it succeeds, the episode ends or it takes too long: state, reward, and whether it ended."""
    earned = 0.0
    for _ in range(LONGEST_SKILL):
        step = world.step(skill.act(state))
        earned += step.reward
        if step.done or skill.skill.succeeds(state, step.state):
            return step.state, earned, step.done
        state = step.state
    return state, earned, False


Choose = Callable[[State, tuple[int, ...]], int]  # state, skills so far


def episode(world: Finite, skills: Sequence[Practised], choose: Choose, *, seed: int, most: int) -> tuple[float, int]:
    """What an episode of at most `most` skills earns, and how many skills it took; a skill beyond the last is done."""
    state, earned, ended = world.reset(seed), 0.0, False
    history: tuple[int, ...] = ()
    while not ended and len(history) < most:
        k = choose(state, history)
        if k >= len(skills):
            break
        state, more, ended = carry_out(world, skills[k], state)
        earned, history = earned + more, (*history, k)
    return earned, len(history)


def by_product(told: Instructed, *, affordances: bool = True) -> Choose:
    """SayCan: the largest p c; without affordances the speaker alone."""

    def choose(state: State, history: tuple[int, ...]) -> int:
        useful = told.useful(state, history)
        possible = told.possible(state) if affordances else np.ones(len(useful))
        return int(product_rule(useful, possible).argmax())

    return choose


def without_speaker(skills: Sequence[Practised], seed: int) -> Choose:
    """Draw skills in proportion to their affordances: what is left of SayCan without a language model."""

    def choose(state: State, history: tuple[int, ...]) -> int:
        weights = np.array([p.affordance(state) for p in skills])
        if weights.sum() == 0:
            return len(skills)
        drawn = np.random.default_rng(seed_for(seed, "skill", len(history)))
        return int(drawn.choice(len(skills), p=weights / weights.sum()))

    return choose


def compared(
    world: Crafting, speaker: Speaker, seeds: list[int], *, most: int, stops: bool, practice: int
) -> Comparison:
    """The product rule against affordances alone, by the share of episodes that end with the pickaxe."""
    skills = practised(world, seeds[0], practice)
    told = Instructed(world, skills, speaker, best_skills(world, skills), stops)
    say_can, say = by_product(told), by_product(told, affordances=False)
    helped = [episode(world, skills, say_can, seed=s, most=most)[0] for s in seeds]
    alone = [episode(world, skills, without_speaker(skills, s), seed=s, most=most)[0] for s in seeds]
    said = [episode(world, skills, say, seed=s, most=most)[0] for s in seeds]
    states = [s for s, name in told.truth.items() if name != DONE]
    kept = {world.describe(s): {p.skill.name: round(p.affordance(s), 4) for p in skills} for s in states}
    return Comparison(helped, alone, {"say": float(np.mean(said))}, kept)

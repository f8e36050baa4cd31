"""Whole plans by say, can and pay: a beam over skills, with what an expert taught about what is possible and what pays.

    score(plan) = mean_t log(p(k_t | goal, k_<t) c(k_t, s_t) f(k_t, s_t))

s_t is where the skills before are expected to lead. The expert's episodes cover some states; elsewhere c and f say the
same of all skills, and the speaker alone decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.planning.crafting_skills import practised
from posttrain.learners.planning.pay import Path, Possible, learn_payoff, learn_possible
from posttrain.learners.planning.say_can import DONE, Choose, Instructed, beam, best_skills, episode, product_rule
from posttrain.learners.planning.skills import Practised, option_model
from posttrain.learners.speaker import Speaker
from posttrain.learners.world import Floats, State, Table
from posttrain.learners.worlds.crafting import Crafting
from posttrain.seeds import seed_for

FINISHED = 10**6  # a skill beyond the last
Leads = Mapping[tuple[State, int], State]


def leads(table: Table, skills: Sequence[Practised]) -> dict[tuple[State, int], State]:
    """The likeliest end of every skill in every state; where it never succeeds one stays."""
    found = {}
    for k, skill in enumerate(skills):
        D = option_model(table, skill)[1]
        for row, state in enumerate(table.states):
            found[state, k] = table.states[int(D[row].argmax())] if D[row].any() else state
    return found


def expert_paths(
    table: Table, truth: Mapping[State, str], names: Sequence[str], after: Leads, count: int, seed: int
) -> list[Path]:
    """Episodes of an expert who begins anywhere, uses the best skill of every state, and says when all is done."""
    drawn = np.random.default_rng(seed_for(seed, "expert"))
    alive = [s for s in table.states if truth[s] != DONE]
    paths: list[Path] = []
    for first in drawn.integers(len(alive), size=count):
        state, path = alive[int(first)], list[tuple[State, int]]()
        while truth[state] != DONE and len(path) < 50:
            path.append((state, names.index(truth[state])))
            state = after[path[-1]]
        paths.append([*path, (state, names.index(DONE))])
    return paths


@dataclass(frozen=True)
class Taught:
    """What an expert's episodes have taught: what is possible, and what pays."""

    possible: Possible
    payoff: Mapping[State, Floats]


def taught(paths: Sequence[Path], skills: int, seed: int) -> Taught:
    """Learn from the episodes of an expert."""
    return Taught(learn_possible(paths, skills, seed), learn_payoff(paths, skills))


def planned(
    told: Instructed, start: State, after: Leads, known: Taught, *, width: int, longest: int
) -> tuple[int, ...]:
    """The plan of a beam from a state."""
    count = len(told.names())

    def scores(state: State, plan: tuple[int, ...]) -> Floats:
        return product_rule(told.useful(state, plan), known.possible(state), known.payoff.get(state, np.ones(count)))

    return beam(start, scores, lambda s, k: after[s, k], done=count - 1, width=width, longest=longest)


def following(plan: Sequence[int]) -> Choose:
    """Carry out a plan, whatever happens; behind its end all is done."""
    return lambda _, history: plan[len(history)] if len(history) < len(plan) else FINISHED


def compared(
    world: Crafting, speaker: Speaker, seeds: list[int], *, experts: int, width: int, most: int, practice: int
) -> Comparison:
    """Plans with a speaker against plans by what is possible and what pays alone, by the pickaxes made."""
    skills = practised(world, seeds[0], practice)
    table, truth = world.table(), best_skills(world, skills)
    after = leads(table, skills)
    told, untold = (Instructed(world, skills, s, truth, stops=True) for s in (speaker, Silent()))
    helped, alone, kept = [], [], []
    for seed in seeds:
        names = told.names()
        known = taught(expert_paths(table, truth, names, after, experts, seed), len(names), seed)
        start = world.reset(seed)
        plans = [planned(t, start, after, known, width=width, longest=most) for t in (told, untold)]
        earned = [episode(world, skills, following(p), seed=seed, most=most)[0] for p in plans]
        helped.append(earned[0])
        alone.append(earned[1])
        kept.append([names[k] for k in plans[0]])
    return Comparison(helped, alone, {}, kept)


class Silent(Speaker):
    """Says nothing: every skill is as useful as any other."""

    def answer(self, questions: Sequence[object]) -> list[str | None]:
        return [None for _ in questions]

    def probabilities(self, questions: Sequence[object]) -> list[tuple[float, ...] | None]:
        return [None for _ in questions]

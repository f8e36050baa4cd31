"""Participatory planning: residents discuss a plan in rotating circles, and the plan is revised by what they ask for.

In every round a circle of G of M residents is heard, each asking for one change of the plan. A planner takes one of the
changes, the others are told, and all residents vote: the change is made if more gain than lose. Everybody is heard
equally often, within one round.

A plan says what becomes of every plot. A resident is as satisfied as the uses that they need are near:

    u_r(x) = Σ_use need(r, use) max_(p: x_p = use) 1 / (1 + |home_r - p|)

Reported are the mean and, for inclusion, the mean of the group that fares worst.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.speaker import Question, Speaker
from posttrain.seeds import seed_for

USES = ("a park", "a clinic", "a school", "a shop")
GROUPS = {"families": (0.3, 0.1, 0.5, 0.1), "the old": (0.3, 0.5, 0.0, 0.2), "workers": (0.1, 0.1, 0.1, 0.7)}
KEEP = "keep the plan"
BETTER, WORSE, ALIKE = "better", "worse", "all the same"
Plan = tuple[int, ...]  # the use of every plot


@dataclass(frozen=True)
class Resident:
    """A resident: their group, the plot they live at, and how much they need each use; the needs add up to 1."""

    group: str
    home: int
    need: tuple[float, ...]

    def satisfaction(self, plan: Plan) -> float:
        """u_r of a plan; 0 to 1."""
        near = [
            max((1 / (1 + abs(self.home - p)) for p, x in enumerate(plan) if x == use), default=0.0) for use in range(4)
        ]
        return sum(need * x for need, x in zip(self.need, near, strict=True))

    def words(self) -> str:
        """How a resident introduces themselves."""
        needed = ", ".join(f"{use} {x:.1f}" for use, x in zip(USES, self.need, strict=True))
        return f"You are one of {self.group} and live at plot {self.home}. What you need: {needed}."


@dataclass(frozen=True)
class Town:
    """Residents, and how many plots lie along the street."""

    residents: tuple[Resident, ...]
    plots: int

    def satisfaction(self, plan: Plan) -> float:
        """The mean over all residents."""
        return float(np.mean([r.satisfaction(plan) for r in self.residents]))

    def inclusion(self, plan: Plan) -> float:
        """The mean of the group that fares worst."""
        groups = {r.group for r in self.residents}
        return min(float(np.mean([r.satisfaction(plan) for r in self.residents if r.group == g])) for g in groups)

    def best(self) -> Plan:
        """The plan with the highest mean satisfaction, by trying all."""
        return max(product(range(len(USES)), repeat=self.plots), key=self.satisfaction)


def town(seed: int, residents: int, plots: int) -> Town:
    """Draw a town: groups in turn, homes anywhere, needs around those of the group."""
    drawn = np.random.default_rng(seed_for(seed, "town"))
    people = []
    for n in range(residents):
        group = list(GROUPS)[n % len(GROUPS)]
        need = drawn.dirichlet(10 * np.array(GROUPS[group]) + 0.1)
        people.append(Resident(group, int(drawn.integers(plots)), tuple(map(float, need))))
    return Town(tuple(people), plots)


def circles(members: int, size: int, rounds: int, seed: int) -> list[list[int]]:
    """Who is heard in each round: everybody once, in a drawn order, before anybody is heard again."""
    drawn = np.random.default_rng(seed_for(seed, "fishbowl"))
    waiting: list[int] = []
    found = []
    for _ in range(rounds):
        while len(waiting) < size:
            order = drawn.permutation(members).tolist()
            waiting += sorted(order, key=waiting.__contains__)  # who waits already comes last
        found.append(waiting[:size])
        waiting = waiting[size:]
    return found


def changes(plan: Plan) -> dict[str, Plan]:
    """Every change of one plot and every exchange of two, in words, and keeping the plan."""
    found = {KEEP: plan}
    for plot, use in product(range(len(plan)), range(len(USES))):
        if plan[plot] != use:
            found[f"make plot {plot} {USES[use]}"] = (*plan[:plot], use, *plan[plot + 1 :])
    for one, two in combinations(range(len(plan)), 2):
        if plan[one] != plan[two]:
            swapped = {one: plan[two], two: plan[one]}
            found[f"exchange plots {one} and {two}"] = tuple(swapped.get(p, x) for p, x in enumerate(plan))
    return found


def described(plan: Plan) -> str:
    """A plan in words."""
    return "; ".join(f"plot {p}: {USES[x]}" for p, x in enumerate(plan))


def discuss(town: Town, speaker: Speaker, start: Plan, *, size: int, rounds: int, seed: int) -> list[Plan]:
    """The plans after every round of discussion, the first one included."""
    plans = [start]
    for circle in circles(len(town.residents), size, rounds, seed):
        plan = plans[-1]
        options = changes(plan)
        asked = ask_wishes(town, speaker, plan, options, circle)
        wishes = list(dict.fromkeys(w for w in asked if w is not None and w != KEEP))
        chosen = choose(town, speaker, plan, options, [*wishes, KEEP], circle)
        plans.append(options[chosen] if chosen != KEEP and vote(town, speaker, plan, chosen, options[chosen]) else plan)
    return plans


def ask_wishes(
    town: Town, speaker: Speaker, plan: Plan, options: dict[str, Plan], circle: Sequence[int]
) -> list[str | None]:
    """The change that each resident of a circle asks for."""
    questions = []
    for r in (town.residents[i] for i in circle):
        truth = max(options, key=lambda name, r=r: r.satisfaction(options[name]))  # type: ignore[misc]
        text = f"{r.words()} The plan: {described(plan)}. Which change do you ask for?"
        questions.append(Question(text, tuple(options), truth))
    return speaker.answer(questions)


def choose(
    town: Town, speaker: Speaker, plan: Plan, options: dict[str, Plan], wishes: Sequence[str], circle: Sequence[int]
) -> str:
    """The wish that the planner takes up: the truth is the best for those who were heard. Unread keeps the plan."""
    own = [town.residents[i] for i in circle]
    truth = max(wishes, key=lambda name: sum(r.satisfaction(options[name]) for r in own))
    words = " ".join(r.words().replace("You are", "They are").replace("you", "they") for r in own)
    text = f"You plan a street. The plan: {described(plan)}. You have heard {len(own)} residents. {words} What now?"
    (said,) = speaker.answer([Question(text, tuple(wishes), truth)])
    return KEEP if said is None else said


def vote(town: Town, speaker: Speaker, plan: Plan, name: str, changed: Plan) -> bool:
    """Whether a change is better for more residents than it is worse for; who cannot be understood abstains."""
    questions = [
        Question(
            f"{r.words()} The plan: {described(plan)}. The proposal: {name}. What is it for you?",
            (BETTER, WORSE, ALIKE),
            judged(r.satisfaction(changed) - r.satisfaction(plan)),
        )
        for r in town.residents
    ]
    said = speaker.answer(questions)
    return said.count(BETTER) > said.count(WORSE)


def judged(difference: float) -> str:
    """What a change is for somebody whose satisfaction it changes so."""
    return ALIKE if abs(difference) < 1e-9 else BETTER if difference > 0 else WORSE


def compared(speaker: Speaker, seeds: list[int], *, residents: int, plots: int, size: int, rounds: int) -> Comparison:
    """Discussion against the plan that it begins with, which gives every use its turn, by mean satisfaction."""
    helped, alone, inclusion, before, best = [], [], [], [], []
    kept: list[list[str]] = []
    for seed in seeds:
        place = town(seed, residents, plots)
        start = tuple(p % len(USES) for p in range(plots))
        plans = discuss(place, speaker, start, size=size, rounds=rounds, seed=seed)
        helped.append(place.satisfaction(plans[-1]))
        alone.append(place.satisfaction(start))
        inclusion.append(place.inclusion(plans[-1]))
        before.append(place.inclusion(start))
        best.append(place.satisfaction(place.best()))
        kept.append([described(p) for p in plans])
    numbers = {"inclusion": inclusion, "inclusion/alone": before, "best": best}
    return Comparison(helped, alone, {name: float(np.mean(x)) for name, x in numbers.items()}, kept)

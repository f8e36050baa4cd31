"""What the procedures do in which a language model plans with what a learner can do.

What they compare is tested in tests/learners/planning; here it is a stand-in that says what it was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from posttrain.catalogue.index import load_procedure
from posttrain.errors import PosttrainError
from posttrain.learners.finite import Finite
from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.planning.policy_library import Learner
from tests.harness.learning_session import LearningSession, ending
from tests.procedures.transcripts.learning import LearningScenario


@dataclass(frozen=True)
class PlanningScenario(LearningScenario):
    """A scenario whose comparison is a stand-in."""

    def run(self) -> list[str]:
        session, procedure = LearningSession(), load_procedure(self.path)

        def compared(*given: Any, **how: Any) -> Comparison:
            shown = [*map(described, given), *(f"{name}={described(x)}" for name, x in how.items())]
            session.transcript.append(f"compare {' '.join(shown)}")
            return Comparison([2.0, 3.0, 2.5], [1.0, 1.0, 1.25], {"number": 0.5}, ["kept"])

        with patch.multiple(procedure.__module__, compared=compared):
            try:
                end = ending(procedure(session, **self.settings))
            except PosttrainError as error:
                end = f"{type(error).__name__}: {error}"
        return [" ".join(line.split()) for line in (*session.transcript, end)]


def described(x: Any) -> str:
    match x:
        case Finite():
            shown = [f"{n}={v}" for n, v in sorted(vars(x).items()) if isinstance(v, int | float | tuple | str)]
            return f"{type(x).__name__}({', '.join(shown)})"
        case Learner():
            return f"Learner({described(x.world)}, {x.settings}, {x.revisions}, {x.sandbox})"
        case _ if hasattr(x, "role"):
            return f"<{x.role}>"
        case [int(), *_]:
            return f"{len(x)} seeds {sum(x) % 10**6}"
    return str(x)


ASKED = {"speaker": "other", "seeds": 4}
SAID = """
        artefact {}: ["kept"]
        note helped 2.500, alone 1.083: gain +1.417 [+0.124, +2.709]
        return helped=2.5 alone=1.08333 gain=1.41667 gain/low=0.12388 gain/high=2.70945 number=0.5
"""


def scenario(path: str, artefact: str, settings: dict[str, Any], compare: str) -> PlanningScenario:
    return PlanningScenario(path, settings={**ASKED, **settings}, transcript=f"{compare}{SAID.format(artefact)}")


PLANNING = (
    scenario(
        "planning/say_can",
        "affordances",
        {"options": {"length": 2, "slip": 0.3}, "most": 9, "stops": True, "practice": 40},
        """
        compare Crafting(length=2, slip=0.3) <other> 4 seeds 814204 most=9 stops=True practice=40""",
    ),
    scenario(
        "planning/say_can_pay",
        "plans",
        {"options": {"length": 2, "slip": 0.3}, "experts": 2, "width": 2, "most": 10, "practice": 40},
        """
        compare Crafting(length=2, slip=0.3) <other> 4 seeds 814204 experts=2 width=2 most=10 practice=40""",
    ),
    scenario(
        "planning/plan4mc",
        "graph",
        {"options": {"length": 2, "slip": 0.3}, "most": 9, "practice": 40},
        """
        compare Crafting(length=2, slip=0.3) <other> 4 seeds 814204 most=9 practice=40""",
    ),
    scenario(
        "planning/la_light",
        "decisions",
        {"options": {"longest": 2, "unusual": 0.4}, "steps": 9, "calls": 3, "practice": 6},
        """
        compare Crossing(arrivals=(0.45, 0.3), clearing=0.25, room=2, unusual=0.4) <other> 4 seeds 814204
            steps=9 calls=3 practice=6""",
    ),
    scenario(
        "planning/guarded_mpc",
        "ways",
        {"options": {"view": 3, "braking": 0.5}, "steps": 7, "rounds": 1, "horizon": 2},
        """
        compare {'view': 3, 'braking': 0.5} <other> 4 seeds 814204 steps=7 rounds=1 horizon=2""",
    ),
    scenario(
        "planning/guarded_mpc",
        "ways",
        {},
        """
        compare {} <other> 4 seeds 814204 steps=60 rounds=2 horizon=3""",
    ),
    scenario(
        "planning/participatory_planning",
        "plans",
        {"residents": 4, "plots": 3, "size": 2, "rounds": 3},
        """
        compare <other> 4 seeds 814204 residents=4 plots=3 size=2 rounds=3""",
    ),
    scenario(
        "worlds/model_selection",
        "trust",
        {"options": {"readers": 2, "items": 3}, "rounds": 30, "rate": 0.3, "least": 0.2, "share": False},
        """
        compare Recommendation(actions=('book 0 (travel)', 'book 1 (crime)', 'book 2 (poetry)'),
            genres=('travel', 'crime', 'poetry'), tastes=('travel and science', 'travel and poetry')) <other> 4
            seeds 814204 rounds=30 rate=0.3 least=0.2 share=False""",
    ),
    scenario(
        "worlds/novel_top_k",
        "lists",
        {"options": {"readers": 3, "items": 6}, "k": 2, "steps": 9},
        """
        compare Recommendation(actions=('book 0 (travel)', 'book 1 (crime)', 'book 2 (poetry)', 'book 3
            (travel)', 'book 4 (travel)', 'book 5 (science)'), genres=('travel', 'crime', 'poetry', 'travel',
            'travel', 'science'), tastes=('science and poetry', 'science and poetry', 'crime and travel')) <other> 4
            seeds 814204 k=2 steps=9""",
    ),
    scenario(
        "worlds/kalm",
        "rollouts",
        {"options": {"size": 3, "target": (2, 2), "wall": [(1, 1)]}, "tried": 2, "rollouts": 2, "imagined": 3},
        """
        artefact grounding: 1638 d6903be4
        compare GoalGrid(goal=go to column 2 row 2, size=3, target=(2, 2)) <other> 4 seeds 814204 tried=2
            rollouts=2 imagined=3""",
    ),
    scenario(
        "worlds/hi_core",
        "library",
        {"options": {"length": 2}, "q": {"episodes": 9, "horizon": 15}, "revisions": 2, "sandbox": "none"},
        """
        compare Learner(Crafting(length=2, slip=0.1), Settings(episodes=9, rate=0.5, decay=0.0, power=1.0,
            explore=0.2, horizon=15, double=False), 2, none) <other> 4 seeds 814204""",
    ),
    scenario(
        "worlds/hi_core",
        "library",
        {},
        """
        compare Learner(Crafting(length=4, slip=0.1), Settings(episodes=60, rate=0.5, decay=0.0, power=1.0,
            explore=0.2, horizon=40, double=False), 1, auto) <other> 4 seeds 814204""",
    ),
    scenario(
        "worlds/driver_feedback",
        "weights",
        {"options": {"view": 2, "wish": "school"}, "pairs": 6, "steps": 5, "failing": 0.3},
        """
        compare Lane(braking=0.2, goal=drive well and hit nobody. Children play beside the road in front of a
            school., view=2, wish=Wish(words='Children play beside the road in front of a school.', speed=1.0,
            above=1.0, jerk=0.0, change=0.0)) <other> 4 seeds 814204 pairs=6 steps=5 failing=0.3""",
    ),
    scenario(
        "worlds/driver_feedback",
        "weights",
        {},
        """
        compare Lane(braking=0.2, goal=drive well and hit nobody. The passenger feels sick in every bend and at
            every jolt., view=6, wish=Wish(words='The passenger feels sick in every bend and at every jolt.',
            speed=1.0, above=0.0, jerk=0.8, change=0.8)) <other> 4 seeds 814204 pairs=40 steps=8 failing=0.1""",
    ),
    PlanningScenario(
        "planning/guarded_mpc",
        settings={"options": {"sight": 3}},
        transcript="ConfigError: world lane.sight: unknown setting; settings braking, view, wish",
    ),
)

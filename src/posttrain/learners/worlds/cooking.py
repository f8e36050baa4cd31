"""A kitchen: take what the recipe names from the shelf, chop it at the board, cook it on the stove and serve it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from posttrain.learners.finite import Finite, Outcome
from posttrain.learners.world import State

FOODS = ("tomato", "onion", "carrot")
PLACES = ("shelf", "board", "stove")
VERBS = ("take", "chop", "cook")  # each at the place of the same number
STAGES = ("is on the shelf", "is in your hand", "is chopped", "is cooked")


class Kitchen(NamedTuple):
    """Where the cook stands, what has been done to each food, whether the spoon is clean and the dish served."""

    place: int
    foods: tuple[int, ...]
    clean: bool = False
    served: bool = False


class Cooking(Finite):
    """Serving the dish of the recipe earns 1, and nothing else does. Other foods, and the spoon, lead away from it.

    Settings:
        foods: number of foods on the shelf; 1 to 3.
        recipe: number of foods that the dish needs, the first of them; 1 to `foods`.
    """

    def __init__(self, *, foods: int = 3, recipe: int = 1) -> None:
        super().__init__()
        self.foods = FOODS[:foods]
        self.recipe = FOODS[:recipe]
        treated = [f"{verb} the {food}" for food in self.foods for verb in VERBS]
        self.actions = (*(f"go to the {place}" for place in PLACES), *treated, "wash the spoon", "serve the dish")
        self.goal = f"serve a dish of {' and '.join(self.recipe)}"
        self.goals = self.actions[len(PLACES) :]
        needed = [f"{verb} the {food}" for food in self.recipe for verb in VERBS]
        self.subgoals = (*needed, "serve the dish")

    def starts(self) -> Sequence[tuple[float, State]]:
        return [(1.0, Kitchen(len(PLACES) - 1, (0,) * len(self.foods)))]

    def outcomes(self, state: State, action: int) -> Sequence[Outcome]:
        after = self._after(cast(Kitchen, state), action)
        return [(1.0, after, float(after.served))]

    def _after(self, kitchen: Kitchen, action: int) -> Kitchen:
        if action < len(PLACES):
            return kitchen._replace(place=action)
        food, verb = divmod(action - len(PLACES), len(VERBS))
        if food < len(self.foods):
            ready = kitchen.place == verb and kitchen.foods[food] == verb
            treated = tuple(stage + (ready and i == food) for i, stage in enumerate(kitchen.foods))
            return kitchen._replace(foods=treated)
        if self.actions[action] == "wash the spoon":
            return kitchen._replace(clean=True)
        done = all(stage == len(VERBS) for stage in kitchen.foods[: len(self.recipe)])
        return kitchen._replace(served=done)

    def ends(self, state: State) -> bool:
        return cast(Kitchen, state).served

    def caption(self, state: State, action: int, after: State) -> str:
        """Say what a step has done: one of the goals, or nothing."""
        return self.actions[action] if after != state and action >= len(PLACES) else ""

    def describe(self, state: State) -> str:
        kitchen = cast(Kitchen, state)
        foods = ", ".join(f"the {food} {STAGES[i]}" for food, i in zip(self.foods, kitchen.foods, strict=True))
        spoon = "clean" if kitchen.clean else "dirty"
        served = " The dish is served." if kitchen.served else ""
        return f"You stand at the {PLACES[kitchen.place]}; {foods}, the spoon is {spoon}.{served}"

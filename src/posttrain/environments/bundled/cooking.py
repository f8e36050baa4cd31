"""A cooking game: gather what the recipe names, cut and heat it as it says, and serve.

Ingredients lie in the pantry and the garden; knife, stove and oven are in the kitchen. The commands are `go garden`,
`take carrot`, `slice carrot`, `dice carrot`, `fry carrot`, `roast carrot` and `serve`. Serving a meal that is right is
worth 1. What is cut or heated otherwise than the recipe says is spoiled, and the episode is over without anything.

The column `world` is the number that the recipe is drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.problem import Draws
from posttrain.environments.environment import Outcome
from posttrain.environments.text_game import TextGame, observed
from posttrain.records import Prompt
from posttrain.seeds import seed_for

FOODS = ("carrot", "potato", "onion", "pepper", "apple", "tomato")
ROOMS = ("kitchen", "pantry", "garden")
CUTS = {"slice": "sliced", "dice": "diced"}
HEATS = {"fry": "fried", "roast": "roasted"}
TREATED = {**CUTS, **HEATS}
RULES = (
    "Cook by the recipe: take the ingredients, cut and heat them in the kitchen as it says and not otherwise, and "
    "serve. Answer each time with one command, such as: go pantry, take onion, dice onion, fry onion, serve."
)


class Cooking(TextGame):
    """Cook by a recipe.

    Settings:
        ingredients: number of ingredients in the recipe; 1 to 6.
    """

    def __init__(self, *, ingredients: int = 2) -> None:
        self.ingredients = ingredients
        self.recipe: dict[str, list[str]] = {}  # for each ingredient, what must be done to it
        self.lies: dict[str, str] = {}  # where each food lies that nobody has taken
        self.taken: dict[str, list[str]] = {}  # what has been done to what was taken
        self.room = "kitchen"

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        """Draw the numbers of recipes."""
        return [{"prompt": RULES, "world": seed_for("cooking", seed, number) % 2**31} for number in range(count)]

    def begin(self, prompt: Prompt, seed: int) -> str:
        world = int(prompt.columns.get("world", seed))
        draw = Draws("cooking", world, self.ingredients)
        foods = sorted(FOODS, key=lambda food: Draws("cooking", world, food).integer(0, 10**9))
        self.lies = {food: draw.choose(ROOMS[1:]) for food in FOODS}
        self.recipe = {food: _treatment(draw) for food in foods[: self.ingredients]}
        self.taken, self.room = {}, "kitchen"
        lines = [" ".join(["-", *(TREATED[verb] for verb in verbs), food]) for food, verbs in self.recipe.items()]
        return "\n".join(["Recipe:", *lines, self._view()])

    def choices(self) -> Sequence[str]:
        moves = [f"go {room}" for room in ROOMS if room != self.room]
        moves += [f"take {food}" for food in self._here()]
        if self.room == "kitchen":
            moves += [f"{verb} {food}" for food, done in self.taken.items() for verb in TREATED if verb not in done]
            moves += ["serve"] if self._ready() else []
        return moves

    def play(self, move: str) -> Outcome:
        if move not in self.choices():
            return observed(f"You cannot do that now. {self._view()}")
        verb, _, what = move.partition(" ")
        if verb == "serve":
            return observed("The meal is as the recipe says.", 1.0, done=True, won=True)
        if verb == "go":
            self.room = what
        elif verb == "take":
            self.taken[what] = []
        else:
            self.taken[what].append(verb)
            if verb not in self.recipe.get(what, []):
                return observed(f"The {what} is spoiled.", done=True, won=False)
        return observed(self._view())

    def _here(self) -> list[str]:
        return [food for food, room in self.lies.items() if room == self.room and food not in self.taken]

    def _ready(self) -> bool:
        return all(sorted(self.taken.get(food, ["missing"])) == sorted(verbs) for food, verbs in self.recipe.items())

    def _view(self) -> str:
        carried = [" ".join([*(TREATED[verb] for verb in done), food]) for food, done in self.taken.items()]
        equipment = ["a knife", "a stove", "an oven"] if self.room == "kitchen" else []
        there = ", ".join([*equipment, *self._here()]) or "nothing"
        return f"You are in the {self.room}. There is: {there}. You carry: {', '.join(carried) or 'nothing'}."


def _treatment(draw: Draws) -> list[str]:
    """Draw what must be done to an ingredient: a cut or none, and heat or none."""
    return [verb for verb in (draw.choose(["", *CUTS]), draw.choose(["", *HEATS])) if verb]

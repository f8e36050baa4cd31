"""The cooking game: a cook who reads the recipe, and what spoils a meal."""

from __future__ import annotations

import re

import pytest

from posttrain.environments.bundled.cooking import TREATED, Cooking
from tests.environments.playing import keeps_the_rules, play, prompt_of

TASK = {"prompt": "Cook.", "world": 3}


def test_what_holds_of_every_environment() -> None:
    keeps_the_rules(Cooking)


def plan(world: Cooking, text: str) -> list[str]:
    """What a cook does who reads the recipe in the first message."""
    verbs = {treated: verb for verb, treated in TREATED.items()}
    moves, work = [], []
    for line in re.findall(r"^- (.+)$", text, re.MULTILINE):
        *treated, food = line.split()
        moves += [f"go {world.lies[food]}", f"take {food}", "go kitchen"]
        work += [f"{verbs[word]} {food}" for word in treated]
    return [*moves, *reversed(work), "serve"]


@pytest.mark.parametrize("ingredients", [1, 3, 6])
def test_who_follows_the_recipe_is_rewarded(ingredients: int) -> None:
    for task in Cooking.tasks(8, 1):
        world = Cooking(ingredients=ingredients)
        moves = plan(world, world.reset(prompt_of(task), 0)[0]["content"])
        assert len(world.recipe) == ingredients
        played = play(world, task, lambda _, m=iter(moves): next(m))
        assert [o.reward for o in played.outcomes] == [*[0.0] * (len(moves) - 1), 1.0]
        assert (played.done, played.outcomes[-1].info) == (True, {"won": True})


def test_recipes_differ() -> None:
    recipes = []
    for task in Cooking.tasks(12, 1):
        world = Cooking(ingredients=1)
        world.reset(prompt_of(task), 0)
        recipes += world.recipe.items()
    assert len({food for food, _ in recipes}) > 3
    assert len({tuple(verbs) for _, verbs in recipes}) > 4


def test_a_wrong_cut_spoils_the_meal() -> None:
    world = Cooking(ingredients=1)
    world.reset(prompt_of(TASK), 0)
    (food, verbs), *_ = world.recipe.items()
    wrong = next(verb for verb in TREATED if verb not in verbs)
    for move in (f"go {world.lies[food]}", f"take {food}", f"{wrong} {food}", "serve"):
        assert not world.play(move).done  # there is no knife here
    world.play("go kitchen")
    spoiled = world.play(f"{wrong} {food}")
    assert (spoiled.done, spoiled.reward, spoiled.info) == (True, 0.0, {"won": False})
    assert f"{wrong} {food}" not in world.choices()
    assert spoiled.messages[0]["content"] == f"The {food} is spoiled."


def test_an_unfinished_meal_cannot_be_served() -> None:
    world = Cooking(ingredients=2)
    world.reset(prompt_of(TASK), 0)
    assert world.choices() == ["go pantry", "go garden"]
    outcome = world.play("serve")
    assert (outcome.done, outcome.reward) == (False, 0.0)
    assert outcome.messages[0]["content"] == (
        "You cannot do that now. You are in the kitchen. There is: a knife, a stove, an oven. You carry: nothing."
    )

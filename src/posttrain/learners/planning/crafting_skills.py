"""The skills of the world `crafting`: two that find a place, and four that make something there."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from typing import cast

from posttrain.learners.planning.skill_graph import Node
from posttrain.learners.planning.skills import PRACTICE, Practised, Skill, practise
from posttrain.learners.world import State
from posttrain.learners.worlds.crafting import Crafted, Crafting

FIND_TREE, FIND_BENCH = "find a tree", "find the workbench"
MADE = {"chop a log": "log", "saw planks": "plank", "carve sticks": "stick", "build the pickaxe": "pickaxe"}
TREE, BENCH = "tree nearby", "workbench nearby"
GRAPH = {
    FIND_TREE: Node(obtain={TREE: 1}),
    FIND_BENCH: Node(obtain={BENCH: 1}),
    "chop a log": Node(require={TREE: 1}, obtain={"log": 1}),
    "saw planks": Node(consume={"log": 1}, obtain={"plank": 4}),
    "carve sticks": Node(consume={"plank": 2}, obtain={"stick": 4}),
    "build the pickaxe": Node(consume={"plank": 3, "stick": 2}, require={BENCH: 1}, obtain={"pickaxe": 1}),
}


def crafting_skills(world: Crafting) -> list[Skill]:
    """List the skills; those that find use the steps along the path, each of the others one action."""
    places = {FIND_TREE: 0, FIND_BENCH: world.length - 1}
    finding = [Skill(name, (0, 1), partial(reached, place)) for name, place in places.items()]
    making = [Skill(name, (i,), partial(more, item)) for i, (name, item) in enumerate(MADE.items(), 2)]
    return [*finding, *making]


@lru_cache(maxsize=64)
def practised(world: Crafting, seed: int, episodes: int) -> tuple[Practised, ...]:
    """The skills of a world after some episodes of practice of each; kept, since a sweep needs them again and again."""
    return tuple(practise(world, crafting_skills(world), seed, replace(PRACTICE, episodes=episodes)))


def reached(place: int, before: State, after: State) -> bool:  # noqa: ARG001 -- it does not matter from where
    """Whether one is in a place."""
    return cast(Crafted, after).place == place


def more(item: str, before: State, after: State) -> bool:
    """Whether there is more of an item than before."""
    return bool(getattr(after, item) > getattr(before, item))


def owned(world: Crafting, state: State) -> dict[str, int]:
    """The items that one carries, and those nearby, by the names of the graph."""
    now = cast(Crafted, state)
    items = {"log": now.log, "plank": now.plank, "stick": now.stick, "pickaxe": now.pickaxe}
    return {**items, TREE: int(now.place == 0), BENCH: int(now.place == world.length - 1)}

"""A planner over a graph of skills that a speaker wrote once: plan, use the first skill, look, plan again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from posttrain.learners.planning.comparison import Comparison
from posttrain.learners.planning.crafting_skills import GRAPH, owned, practised
from posttrain.learners.planning.say_can import Choose, episode, without_speaker
from posttrain.learners.planning.skill_graph import InfeasibleError, Items, Node, mistakes, plan, read_node, written
from posttrain.learners.planning.skills import Practised
from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.world import State
from posttrain.learners.worlds.crafting import Crafting

ASK = (
    "In this world the items are: {items}. What does the skill '{skill}' consume, what must be there besides, and what "
    "does it make? Answer in one line such as: consume: 2 plank; require: nothing; obtain: 4 stick"
)


def ask_graph(speaker: Speaker, truth: Mapping[str, Node]) -> dict[str, Node]:
    """Ask what every skill does. A skill whose description could not be read is left out of the graph.

    `truth`: the skills by name; their contents are what a speaker that is right says.
    """
    items = list(dict.fromkeys(i for node in truth.values() for part in vars(node).values() for i in part))
    questions = [
        Question(ASK.format(items=", ".join(items), skill=name), (), written(node), tuple(mistakes(node, items)))
        for name, node in truth.items()
    ]
    read = zip(truth, map(read_node, speaker.answer(questions)), strict=True)
    return {name: node for name, node in read if node is not None}


def by_plan(
    graph: Mapping[str, Node],
    target: str,
    skills: Sequence[Practised],
    items: Callable[[State], Items],
    otherwise: Choose,
) -> Choose:
    """Use the first skill of the plan that the graph finds from what is owned now, and another where there is none.

    After every skill, also after one that failed, the plan is made anew.
    """
    names = [p.skill.name for p in skills]

    def choose(state: State, history: tuple[int, ...]) -> int:
        try:
            found = plan(graph, items(state), target)
        except InfeasibleError:
            return otherwise(state, history)
        return names.index(found[0]) if found else len(names)

    return choose


def compared(world: Crafting, speaker: Speaker, seeds: list[int], *, most: int, practice: int) -> Comparison:
    """Plans from the speaker's graph against skills in proportion to their affordances, by the pickaxes made."""
    skills = practised(world, seeds[0], practice)
    graph = ask_graph(speaker, GRAPH)
    helped, alone = [], []
    for seed in seeds:
        drawn = without_speaker(skills, seed)
        choose = by_plan(graph, "pickaxe", skills, partial(owned, world), drawn)
        helped.append(episode(world, skills, choose, seed=seed, most=most)[0])
        alone.append(episode(world, skills, drawn, seed=seed, most=most)[0])
    right = sum(graph.get(name) == node for name, node in GRAPH.items()) / len(GRAPH)
    return Comparison(helped, alone, {"right": right}, {name: written(node) for name, node in graph.items()})

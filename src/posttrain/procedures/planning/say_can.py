"""Do As I Can, Not As I Say: Grounding Language in Robotic Affordances (Ahn et al., 2022).

Skills are practised, a speaker says which of them would be useful next, and the one with the largest product of
usefulness and affordance is used. The affordance of a skill is the value that its own learner has found.

    k* = argmax_k p(k | goal, history) c(k, s)

`stops` offers the speaker to say that all is done, as in the paper, which nothing then contradicts. `say` is what the
speaker earns without affordances. The baseline draws skills in proportion to their affordances.
"""

from __future__ import annotations

from typing import Any, cast

from posttrain.learners.planning.say_can import compared
from posttrain.learners.worlds.crafting import Crafting
from posttrain.procedures.comparing import finish
from posttrain.procedures.helping import trials, world_of
from posttrain.training.session import Session


def say_can(
    session: Session,
    *,
    options: dict[str, Any] | None = None,
    speaker: str = "speaker",
    most: int = 12,
    stops: bool = False,
    practice: int = 400,
    seeds: int = 20,
) -> dict[str, float]:
    """Practise skills -> say and can against can alone, in the world crafting.

    Settings:
        options: settings of the world crafting; null is its defaults.
        speaker: name of the role that is asked.
        most: skills of an episode, at most; at least 1, of which 8 are needed.
        stops: whether the speaker may say that all is done; true or false.
        practice: episodes of practice of each skill; at least 1.
        seeds: episodes of each planner; at least 1.
    """
    world = cast(Crafting, world_of(session, "crafting", options))
    asked = session.speaker(speaker)
    made = compared(world, asked, trials(session, seeds), most=most, stops=stops, practice=practice)
    return finish(session, "affordances", made)

"""What the procedure does whose policy chooses among actions."""

from __future__ import annotations

from posttrain.data.kinds.decisions import Decision
from tests.procedures.transcripts.records import THREE, TWO
from tests.procedures.transcripts.scenario import Scenario


def decided(number: int, asked: str, chosen: int, episode: int, moment: int, reward: float) -> Decision:
    return Decision(number, asked, ("east", "west"), chosen, episode=episode, moment=moment, reward=reward)


# Two episodes of 0.5 + 0.75 and 0.25; then one of -1.
FIRST = [decided(1, "x0", 0, 7, 0, 0.5), decided(2, "x1", 1, 7, 1, 0.75), decided(3, "y0", 1, 8, 0, 0.25)]
SECOND = [decided(4, "z0", 0, 9, 0, -1.0)]
PLAYED = {"decisions": {"round-1": FIRST, "round-2": SECOND}}

ACTING = (
    Scenario(
        "rounds/act",
        {"prompts": THREE},
        {
            "rounds": 2,
            "prompts_per_round": 2,
            "samples": 3,
            "method": "online/glam",
            "normalise": "token",
            "then": {"steps": 2, "learning_rate": 0.5, "settings": {"gamma": 0.9, "normalise": "word"}},
        },
        PLAYED,
        """
        act round-1: x?; y? | 3 of policy=start by token
        train online/glam on 'round 1': x0: east of east or west; x1: west of east or west; y0: west of east or west |
            policy=start | no rewards | steps=2 learning_rate=0.5 prompts_per_step=3 settings={gamma=0.9
            normalise=token}
        note round 1: 3 decisions, mean return 0.750
        act round-2: z?; x? | 3 of policy=#1 by token
        train online/glam on 'round 2': z0: east of east or west | policy=#1 | no rewards | steps=2 learning_rate=0.5
            prompts_per_step=1 settings={gamma=0.9 normalise=token}
        note round 2: 1 decisions, mean return -1.000
        return stage=2 return=-1
        """,
    ),
    Scenario(  # the method's own normalisation, with which the decisions are trained, is that of the episodes
        "rounds/act",
        {"prompts": TWO},
        {"rounds": 1, "method": "online/glam"},
        PLAYED,
        """
        act round-1: x?; y? | 4 of policy=start by sum
        train online/glam on 'round 1': x0: east of east or west; x1: west of east or west; y0: west of east or west |
            policy=start | no rewards | steps=1 prompts_per_step=3
        note round 1: 3 decisions, mean return 0.750
        return stage=1 return=0.75
        """,
    ),
    Scenario(
        "rounds/act",
        {"prompts": TWO},
        {"rounds": 1, "then": {"settings": {"normalise": "token"}}},
        PLAYED,
        """
        act round-1: x?; y? | 4 of policy=start by token
        train online/twosome on 'round 1': x0: east of east or west; x1: west of east or west; y0: west of east or
            west | policy=start | no rewards | steps=1 prompts_per_step=3 settings={normalise=token}
        note round 1: 3 decisions, mean return 0.750
        return stage=1 return=0.75
        """,
    ),
    Scenario(
        "rounds/act",
        {"prompts": TWO},
        {"then": {"prompts_per_step": 2}},
        PLAYED,
        """
        ConfigError: then.prompts_per_step: a step takes all decisions of a round; set prompts_per_round
        """,
    ),
    Scenario(
        "rounds/act",
        {"prompts": TWO},
        {"then": {"settings": {"policy.normalise": "token"}}},
        PLAYED,
        """
        ConfigError: twosome does not say in one way how actions are scored; choose online/glam or
            online/twosome, and set `normalise` for all of its parts
        """,
    ),
    Scenario(
        "rounds/act",
        {"prompts": TWO},
        {"rounds": 1},
        {"decisions": {"round-1": []}},
        """
        act round-1: x?; y? | 4 of policy=start by word
        DataError: round 1: no episode came to a decision; look at what the environment does in `reset`
        """,
    ),
    Scenario(
        "rounds/act",
        {"prompts": TWO},
        {"method": "online/ppo"},
        PLAYED,
        """
        ConfigError: ppo does not say in one way how actions are scored; choose online/glam or
            online/twosome, and set `normalise` for all of its parts
        """,
    ),
)

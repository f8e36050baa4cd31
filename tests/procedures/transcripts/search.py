"""What the procedures do in which a guide, a teacher or a reranker shows where to go."""

from __future__ import annotations

from tests.procedures.transcripts.records import THREE, TWO, demonstrations
from tests.procedures.transcripts.scenario import Scenario

COINS = {("lols", 1): int(0.29 * 2**56), ("lols", 2): int(0.3 * 2**56), ("lols", 3): 0}
GRADED = {"x?": {"a": 0.1, "bbb": 0.9, "cc": None}, "y?": {"dd": 0.2, "e": 0.4}, "z?": {"ff": 1.0, "gggg": 0.0}}
LOGP = [-2.0, -5.0, -1.0, -6.0, -1.0, -0.5]

SEARCH = (
    Scenario(
        "search/lols",
        {"prompts": TWO},
        {"rounds": 3, "mix": 0.3, "share": 0.6, "ppo": {"steps": 4, "settings": {"passes": 2}}},
        {"seeds": COINS},
        """
        train online/ppo_plus_plus on 'prompts': x?; y? | policy=start | rewards
            | steps=4 settings={share=0.6 passes=2}
        train online/aggrevated on 'prompts': x?; y? | policy=#1 | rewards | steps=4 settings={share=0.6 passes=2}
        train online/ppo_plus_plus on 'prompts': x?; y? | policy=#2 | rewards
            | steps=4 settings={share=0.6 passes=2}
        return stage=3
        """,
    ),
    Scenario(
        "search/d2lols",
        {"prompts": TWO},
        {"share": 0.6, "aggrevated": {"steps": 4}, "ppo_plus_plus": {"steps": 8, "settings": {"passes": 2}}},
        {},
        """
        train online/aggrevated on 'prompts': x?; y? | policy=start | rewards | steps=4 settings={share=0.6}
        train online/ppo_plus_plus on 'prompts': x?; y? | policy=#1 | rewards
            | steps=8 settings={share=0.6 passes=2}
        return stage=2
        """,
    ),
    Scenario(
        "search/dagger",
        {"prompts": TWO},
        {"rounds": 3, "samples": 2, "imitation": {"steps": 4}},
        {
            "answers": {
                "round-1": {"x?": ["a", "b"], "y?": ["c", "d"]},
                "round-2": {"x?": ["e", "f"], "y?": ["g", "h"]},
                "round-3": {"x?": ["i", "j"], "y?": ["k", "l"]},
            },
            "weights": {"teacher": "wise"},
        },
        """
        collect round-1: x?; y? | 2 of teacher=wise | no rewards
        train labelled on 'round 1': x? -> a; x? -> b; y? -> c; y? -> d | policy=start teacher=wise | no rewards
            | steps=4
        collect round-2: x?; y? | 2 of policy=#1 | no rewards
        train labelled on 'round 2': x? -> a; x? -> b; y? -> c; y? -> d; x? -> e; x? -> f; y? -> g; y? -> h
            | policy=#1 teacher=wise | no rewards | steps=4
        collect round-3: x?; y? | 2 of policy=#2 | no rewards
        train labelled on 'round 3': x? -> a; x? -> b; y? -> c; y? -> d; x? -> e; x? -> f; y? -> g; y? -> h;
            x? -> i; x? -> j; y? -> k; y? -> l | policy=#2 teacher=wise | no rewards | steps=4
        return stage=3
        """,
    ),
    Scenario(
        "search/dagger",
        {"prompts": TWO},
        {"rounds": 1, "teacher": "expert"},
        {"answers": {"round-1": {"x?": ["a"], "y?": ["c"]}}, "weights": {"expert": "wise"}},
        """
        collect round-1: x?; y? | 1 of teacher=wise | no rewards
        train labelled on 'round 1': x? -> a; y? -> c | expert=wise policy=start teacher=wise | no rewards
        return stage=1
        """,
    ),
    Scenario(  # of the first two lists the improbable answers are the best: the weight of log-probs turns around
        "search/mert",
        {"prompts": THREE},
        {"samples": 3, "tuning": 0.7, "features": ["seen"], "sft": {"steps": 4}},
        {"answers": {"n-best": GRADED}, "measures": {"logp": LOGP}},
        """
        collect n-best: x?; y?; z? | 3 of policy=start | rewards
        measure logp: x? -> a; x? -> bbb; y? -> dd; y? -> e; z? -> ff; z? -> gggg | sum_logp of policy=start
        artefact mert: weights={logp=-1 length=0 seen=0} before=0.15 after=0.65
        train imitation/sft on 'picked': x? -> bbb; y? -> e; z? -> ff | policy=start | no rewards | steps=4
        return stage=1 before=0.15 after=0.65
        """,
    ),
    Scenario(  # half of the lists is one; log-probs and quality agree there, so nothing moves
        "search/mert",
        {"prompts": TWO},
        {},
        {"answers": {"n-best": GRADED}, "measures": {"logp": [-5.0, -2.0, -6.0, -1.0]}},
        """
        collect n-best: x?; y? | 16 of policy=start | rewards
        measure logp: x? -> a; x? -> bbb; y? -> dd; y? -> e | sum_logp of policy=start
        artefact mert: weights={logp=1 length=0} before=0.9 after=0.9
        train imitation/sft on 'picked': x? -> bbb; y? -> e | policy=start | no rewards
        return stage=1 before=0.9 after=0.9
        """,
    ),
    Scenario(  # a share that is less than one list is one
        "search/mert",
        {"prompts": THREE},
        {"samples": 2, "tuning": 0.1},
        {"answers": {"n-best": GRADED}, "measures": {"logp": [-5.0, -2.0, -6.0, -1.0, -1.0, -2.0]}},
        """
        collect n-best: x?; y?; z? | 2 of policy=start | rewards
        measure logp: x? -> a; x? -> bbb; y? -> dd; y? -> e; z? -> ff; z? -> gggg | sum_logp of policy=start
        artefact mert: weights={logp=1 length=0} before=0.9 after=0.9
        train imitation/sft on 'picked': x? -> bbb; y? -> e; z? -> ff | policy=start | no rewards
        return stage=1 before=0.9 after=0.9
        """,
    ),
    Scenario(
        "games/seqgan",
        {"demonstrations": demonstrations(("x?", "shown"), ("y?", "also"), ("z?", "too"))},
        {
            "rounds": 2,
            "demonstrations_per_round": 2,
            "method": "online/red",
            "discriminator": {"steps": 4},
            "generator": {"steps": 8},
            "imitation": {"steps": 1},
        },
        {
            "answers": {
                "round-1": {"x?": ["own"], "y?": ["mine"]},
                "round-2": {"z?": ["other"], "x?": ["own"]},
            }
        },
        """
        collect round-1: x?; y? | 1 of policy=start | no rewards
        train reward/outcome on 'round 1': x? -> shown good; y? -> also good; x? -> own bad; y? -> mine bad
            | policy=start | no rewards | steps=4
        train online/red on 'questions 1': x?; y? | policy=start reward=#1 | no rewards | steps=8
        train imitation/sft on 'shown 1': x? -> shown; y? -> also | policy=#2 reward=#1 | no rewards | steps=1
        collect round-2: z?; x? | 1 of policy=#3 | no rewards
        train reward/outcome on 'round 2': z? -> too good; x? -> shown good; z? -> other bad; x? -> own bad
            | policy=#3 reward=#1 | no rewards | steps=4
        train online/red on 'questions 2': z?; x? | policy=#3 reward=#4 | no rewards | steps=8
        train imitation/sft on 'shown 2': z? -> too; x? -> shown | policy=#5 reward=#4 | no rewards | steps=1
        return stage=6
        """,
    ),
    Scenario(
        "games/seqgan",
        {"demonstrations": demonstrations(("x?", "shown"))},
        {"rounds": 1},
        {"answers": {"round-1": {"x?": ["own"]}}},
        """
        collect round-1: x? | 1 of policy=start | no rewards
        train reward/outcome on 'round 1': x? -> shown good; x? -> own bad | policy=start | no rewards
        train online/reinforce on 'questions 1': x? | policy=start reward=#1 | no rewards
        return stage=2
        """,
    ),
)

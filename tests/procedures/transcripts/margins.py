"""What the procedures in rounds do that demand a margin of each pair."""

from __future__ import annotations

from tests.procedures.transcripts.records import pairs
from tests.procedures.transcripts.scenario import Scenario

PAIRS = pairs(("x?", "p", "q"), ("y?", "r", "s"), ("z?", "t", "u"))
OF_THREE = pairs(
    ("x?", "a", "b"),
    ("y?", "c", "d"),
    ("z?", "e", "f"),
    ("w?", "g", "h"),
    dimension=["harmless", "helpful", "brief", "helpful"],
)

MARGINS = (
    Scenario(
        "rounds/sr_dpo",
        {"pairs": PAIRS},
        {"stages": 2, "quality": "Best: ", "dpo": {"steps": 4, "settings": {"beta": 0.2}}},
        {"measures": {"quality-1": [0.5, -1.0], "quality-2": [2.0]}},
        """
        measure quality-1: Best: x?: p > q; Best: y?: r > s | gap(pick(sum_logp)) of policy=start reference=start
        train preference/sr_dpo on 'part 1': x?: p > q margin=0.5; y?: r > s margin=-1
            | policy=start reference=start | no rewards | steps=4 settings={beta=0.2}
        measure quality-2: Best: z?: t > u | gap(pick(sum_logp)) of policy=#1 reference=start
        train preference/sr_dpo on 'part 2': z?: t > u margin=2 | policy=#1 reference=start | no rewards
            | steps=4 settings={beta=0.2}
        return stage=2
        """,
    ),
    Scenario(
        "rounds/sr_dpo",
        {"pairs": PAIRS},
        {"stages": 1, "quality": "", "per_token": True, "method": "preference/sr_ipo"},
        {"measures": {"quality-1": [0.5, -1.0, 2.0]}},
        """
        measure quality-1: x?: p > q; y?: r > s; z?: t > u | gap(pick(mean_logp)) of policy=start reference=start
        train preference/sr_ipo on 'part 1': x?: p > q margin=0.5; y?: r > s margin=-1; z?: t > u margin=2
            | policy=start reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "rounds/sr_dpo",
        {"pairs": pairs(("x?", "p", "q"), margin=[1.0])},
        {},
        {"measures": {"quality-1": [0.5]}},
        """
        measure quality-1: Give an answer of the highest quality: as useful as can be (100 points of 100), and harmless.
            x?: p > q margin=1 | gap(pick(sum_logp)) of policy=start reference=start
        DataError: file:0: the column margin is computed here; remove it, or train preference/sr_dpo on it
        """,
    ),
    Scenario(  # of y? the first round learned 1, of x? too; the second -2 - 0.5 · 1 = -2.5, so 0.5 · (1 - 2.5) is kept
        "rounds/spo",
        {"pairs": OF_THREE},
        {
            "dimensions": ("helpful", "brief", "harmless"),
            "keep": 0.5,
            "dpo": {"steps": 4, "settings": {"beta": 0.2}},
        },
        {"measures": {"gaps-0": [0.0, 0.0, 3.0, 1.0], "gaps-1": [5.0, 2.0], "gaps-2": [0.0]}},
        """
        measure gaps-0: y?: c > d; w?: g > h; z?: e > f; x?: a > b | gap(pick(sum_logp)) of policy=start
        train spo on 'helpful': y?: c > d margin=0; w?: g > h margin=0 | policy=start reference=start | no rewards
            | steps=4 settings={beta=0.2 weight=1}
        measure gaps-1: z?: e > f; x?: a > b | gap(pick(sum_logp)) of policy=#1 reference=start
        train spo on 'brief': z?: e > f margin=1 | policy=#1 reference=#1 | no rewards
            | steps=4 settings={beta=0.2 weight=1}
        measure gaps-2: x?: a > b | gap(pick(sum_logp)) of policy=#2 reference=#1
        train spo on 'harmless': x?: a > b margin=-0.75 | policy=#2 reference=#2 | no rewards
            | steps=4 settings={beta=0.2 weight=1}
        return stage=3
        """,
    ),
    Scenario(  # λ = 1: all that was learned before
        "rounds/spo",
        {"pairs": pairs(("x?", "a", "b"), ("y?", "c", "d"), kind=["b", "a"])},
        {"column": "kind"},
        {"measures": {"gaps-0": [1.0, 1.0], "gaps-1": [4.0]}},
        """
        measure gaps-0: x?: a > b; y?: c > d | gap(pick(sum_logp)) of policy=start
        train spo on 'b': x?: a > b margin=0 | policy=start reference=start | no rewards | settings={weight=1}
        measure gaps-1: y?: c > d | gap(pick(sum_logp)) of policy=#1 reference=start
        train spo on 'a': y?: c > d margin=3 | policy=#1 reference=#1 | no rewards | settings={weight=1}
        return stage=2
        """,
    ),
    Scenario(
        "rounds/spo",
        {"pairs": PAIRS},
        {},
        {},
        """
        DataError: file:0: its dimension: none; correct the column 'dimension', or procedure.dimensions
        """,
    ),
)

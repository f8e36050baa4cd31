"""What the procedures do in which players meet each other, or their earlier selves."""

from __future__ import annotations

from tests.procedures.transcripts.records import TWO, demonstrations, pairs
from tests.procedures.transcripts.scenario import Scenario

THEIRS = [(f"{i}?", *two) for i, two in enumerate(2 * [("digit", "letter"), ("letter", "digit")], 1)]
PEOPLE = pairs(*THEIRS, annotator=["ann", "bob", "ann", "cyd"])

GAMES = (
    Scenario(
        "games/spin",
        {"demonstrations": demonstrations(("x?", "shown"), ("y?", "also"), ("z?", "too"))},
        {"rounds": 2, "demonstrations_per_round": 2, "window": 1, "method": "preference/ipo", "dpo": {"steps": 4}},
        {
            "answers": {
                "round-1": {"x?": ["own"], "y?": ["also"]},
                "round-2": {"z?": ["mine"], "x?": ["shown"]},
            }
        },
        """
        collect round-1: x?; y? | 1 of policy=start | no rewards
        train preference/ipo on 'round 1': x?: shown > own | policy=start reference=start | no rewards | steps=4
        collect round-2: z?; x? | 1 of policy=#1 | no rewards
        train preference/ipo on 'round 2': z?: too > mine | policy=#1 reference=#1 | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "games/spin",
        {"demonstrations": demonstrations(("x?", "shown"))},
        {},
        {"answers": {f"round-{n}": {"x?": [f"own {n}"]} for n in (1, 2, 3)}},
        """
        collect round-1: x? | 1 of policy=start | no rewards
        train preference/dpo on 'round 1': x?: shown > own 1 | policy=start reference=start | no rewards
        collect round-2: x? | 1 of policy=#1 | no rewards
        train preference/dpo on 'round 2': x?: shown > own 1; x?: shown > own 2 | policy=#1 reference=#1
            | no rewards
        collect round-3: x? | 1 of policy=#2 | no rewards
        train preference/dpo on 'round 3': x?: shown > own 2; x?: shown > own 3 | policy=#2 reference=#2
            | no rewards
        return stage=3
        """,
    ),
    Scenario(
        "games/spac",
        {"pairs": pairs(("x?", "a", "b"), ("y?", "c", "d"), ("x?", "e", "f"))},
        {"rounds": 2, "spac": {"steps": 4}},
        {},
        """
        train preference/spac on 'pairs': x?: a > b; y?: c > d; x?: e > f, fresh: 'questions of pairs': x?; y?
            | policy=start reference=start | no rewards | steps=4
        train preference/spac on 'pairs': x?: a > b; y?: c > d; x?: e > f, fresh: 'questions of pairs': x?; y?
            | policy=#1 reference=#1 | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "games/nash_mirror_prox",
        {"prompts": TWO},
        {"rounds": 2, "beta": 0.5, "eta": 4.0, "prox": {"steps": 4, "settings": {"passes": 2}}},
        {},
        """
        train prox on 'prompts': x?; y? | opponent=start policy=start reference=start round=start | rewards
            | steps=4 settings={win_minus_kl.tau=0.75 between.share=0.333333 passes=2}
        train prox on 'prompts': x?; y? | opponent=#1 policy=start reference=start round=start | rewards
            | steps=4 settings={win_minus_kl.tau=0.75 between.share=0.333333 passes=2}
        train prox on 'prompts': x?; y? | opponent=#2 policy=#2 reference=start round=#2 | rewards
            | steps=4 settings={win_minus_kl.tau=0.75 between.share=0.333333 passes=2}
        train prox on 'prompts': x?; y? | opponent=#3 policy=#2 reference=start round=#2 | rewards
            | steps=4 settings={win_minus_kl.tau=0.75 between.share=0.333333 passes=2}
        return stage=4
        """,
    ),
    Scenario(
        "games/maxmin_rlhf",
        {"pairs": PEOPLE, "prompts": TWO},
        {
            "groups": 2,
            "em": 2,
            "rounds": 2,
            "method": "online/grpo",
            "reward": {"steps": 2},
            "policy": {"steps": 4},
        },
        {
            "seeds": {("group", "ann"): 4, ("group", "bob"): 5, ("group", "cyd"): 2},
            "measures": {
                # Losses of the four pairs. By the first reward cyd is better off with bob; by the second nobody moves.
                "em-1-0": [0.1, 0.9, 0.2, 0.8],
                "em-1-1": [0.7, 0.3, 0.6, 0.2],
                "em-2-0": [0.1, 0.9, 0.2, 0.8],
                "em-2-1": [0.7, 0.3, 0.6, 0.2],
            },
            "answers": {
                "start-0": {"x?": {"s": 1.0}, "y?": {"t": 3.0}},  # 2
                "start-1": {"x?": {"s": 5.0}, "y?": {"t": None}},  # 2.5
                "round-1-0": {"x?": {"u": 2.5}, "y?": {"v": 3.5}},  # gains 1
                "round-1-1": {"x?": {"u": 2.0}, "y?": {"v": 4.0}},  # gains 0.5
                "round-2-0": {"x?": {"u": 2.5}, "y?": {"v": 2.5}},  # gains 0.5
                "round-2-1": {"x?": {"u": 4.0}, "y?": {"v": 4.0}},  # gains 1.5
            },
        },
        """
        train reward/bradley_terry on 'pairs of group 0': 1?: digit > letter; 3?: digit > letter; 4?: letter > digit
            | policy=start reward=start reward_0=start reward_1=start | no rewards | steps=2
        measure em-1-0: 1?: digit > letter; 2?: letter > digit; 3?: digit > letter; 4?: letter > digit
            | logistic(pick(row_score)) of policy=start reward=#1 reward_0=#1 reward_1=start
        train reward/bradley_terry on 'pairs of group 1': 2?: letter > digit
            | policy=start reward=start reward_0=#1 reward_1=start | no rewards | steps=2
        measure em-1-1: 1?: digit > letter; 2?: letter > digit; 3?: digit > letter; 4?: letter > digit
            | logistic(pick(row_score)) of policy=start reward=#2 reward_0=#1 reward_1=#2
        note em 1: groups of 1, 2
        train reward/bradley_terry on 'pairs of group 0': 1?: digit > letter; 3?: digit > letter
            | policy=start reward=#1 reward_0=#1 reward_1=#2 | no rewards | steps=2
        measure em-2-0: 1?: digit > letter; 2?: letter > digit; 3?: digit > letter; 4?: letter > digit
            | logistic(pick(row_score)) of policy=start reward=#3 reward_0=#3 reward_1=#2
        train reward/bradley_terry on 'pairs of group 1': 2?: letter > digit; 4?: letter > digit
            | policy=start reward=#2 reward_0=#3 reward_1=#2 | no rewards | steps=2
        measure em-2-1: 1?: digit > letter; 2?: letter > digit; 3?: digit > letter; 4?: letter > digit
            | logistic(pick(row_score)) of policy=start reward=#4 reward_0=#3 reward_1=#4
        note em 2: groups of 1, 2
        collect start-0: x?; y? | 1 of policy=start
            | row_score of policy=start reference=start reward=#3 reward_0=#3 reward_1=#4
        collect start-1: x?; y? | 1 of policy=start
            | row_score of policy=start reference=start reward=#4 reward_0=#3 reward_1=#4
        collect round-1-0: x?; y? | 1 of policy=start
            | row_score of policy=start reference=start reward=#3 reward_0=#3 reward_1=#4
        collect round-1-1: x?; y? | 1 of policy=start
            | row_score of policy=start reference=start reward=#4 reward_0=#3 reward_1=#4
        train online/grpo on 'prompts': x?; y? | policy=start reference=start reward=#4 reward_0=#3 reward_1=#4
            | no rewards | steps=4
        collect round-2-0: x?; y? | 1 of policy=#5
            | row_score of policy=#5 reference=start reward=#3 reward_0=#3 reward_1=#4
        collect round-2-1: x?; y? | 1 of policy=#5
            | row_score of policy=#5 reference=start reward=#4 reward_0=#3 reward_1=#4
        train online/grpo on 'prompts': x?; y? | policy=#5 reference=start reward=#3 reward_0=#3 reward_1=#4
            | no rewards | steps=4
        return stage=6
        """,
    ),
    Scenario(
        "games/maxmin_rlhf",
        {"pairs": pairs(*THEIRS, annotator=[1, 2, "1", 3]), "prompts": TWO},
        {"groups": 3, "em": 1, "rounds": 1},
        {
            "seeds": {("group", name): 3 for name in ("1", "2", "3")},
            "measures": {
                "em-1-0": [0.5, 0.5, 0.5, 0.5],
                "em-1-1": [0.1, 0.9, 0.2, 0.8],
                "em-1-2": [0.7, 0.3, 0.6, 0.2],
            },
            "answers": {
                name: {"x?": {"s": score}, "y?": {"t": score}}
                for name, score in [
                    *[("start-0", 1.0), ("start-1", 2.0), ("start-2", 3.0)],
                    *[("round-1-0", 1.5), ("round-1-1", 2.1), ("round-1-2", 4.0)],
                ]
            },
        },
        """
        train reward/bradley_terry on 'pairs of group 0': 1?: digit > letter; 2?: letter > digit;
            3?: digit > letter; 4?: letter > digit
            | policy=start reward=start reward_0=start reward_1=start reward_2=start | no rewards
        measure em-1-0: 1?: digit > letter; 2?: letter > digit; 3?: digit > letter; 4?: letter > digit
            | logistic(pick(row_score)) of policy=start reward=#1 reward_0=#1 reward_1=start reward_2=start
        measure em-1-1: 1?: digit > letter; 2?: letter > digit; 3?: digit > letter; 4?: letter > digit
            | logistic(pick(row_score)) of policy=start reward=start reward_0=#1 reward_1=start reward_2=start
        measure em-1-2: 1?: digit > letter; 2?: letter > digit; 3?: digit > letter; 4?: letter > digit
            | logistic(pick(row_score)) of policy=start reward=start reward_0=#1 reward_1=start reward_2=start
        note em 1: groups of 0, 1, 2
        collect start-0: x?; y? | 1 of policy=start
            | row_score of policy=start reference=start reward=#1 reward_0=#1 reward_1=start reward_2=start
        collect start-1: x?; y? | 1 of policy=start
            | row_score of policy=start reference=start reward=start reward_0=#1 reward_1=start reward_2=start
        collect start-2: x?; y? | 1 of policy=start
            | row_score of policy=start reference=start reward=start reward_0=#1 reward_1=start reward_2=start
        collect round-1-0: x?; y? | 1 of policy=start
            | row_score of policy=start reference=start reward=#1 reward_0=#1 reward_1=start reward_2=start
        collect round-1-1: x?; y? | 1 of policy=start
            | row_score of policy=start reference=start reward=start reward_0=#1 reward_1=start reward_2=start
        collect round-1-2: x?; y? | 1 of policy=start
            | row_score of policy=start reference=start reward=start reward_0=#1 reward_1=start reward_2=start
        train online/rloo on 'prompts': x?; y?
            | policy=start reference=start reward=start reward_0=#1 reward_1=start reward_2=start | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "games/maxmin_rlhf",
        {"pairs": pairs(("1?", "digit", "letter")), "prompts": TWO},
        {},
        {},
        """
        DataError: file:0: 'annotator' is missing: it names who compared the two answers; if it is called otherwise, set
            columns: {annotator: ITS_NAME}
        """,
    ),
)

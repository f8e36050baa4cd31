"""What the procedures do that choose their answers and labels."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.records import THREE, TWO, pairs
from tests.procedures.transcripts.scenario import Scenario

COMPARED = {
    f"{name}-{i}": {"x?": {f"{letter}{i}": 0.1, f"{letter * 2}{i}": 0.9}, "y?": {"same": 0.5, "equal": 0.5}}
    for name, letter in [("round", "r"), ("final", "f"), ("best_of_n", "b")]
    for i in (1, 2)
}
GIVEN = pairs(("p?", "w", "l"), ("q?", "v", "k"))
# A triangle and a point inside. The optimal design compares the corners, each two equally often, and never the point.
CORNERS = {"a": [0.0, 0.0], "b": [2.0, 0.0], "c": [0.0, 1.0], "d": [0.7, 0.3]}
COMPASS = {"east": [1.0, 0.0], "west": [-1.0, 0.0], "north": [0.0, 1.0], "south": [0.0, -1.0]}
# Principal directions have no sign of their own, and the search for rewards begins at random ones.
FIRST_AXES = {"principal": lambda vectors, count: torch.eye(len(vectors[0]), dtype=vectors.dtype)[:, :count]}

ACTIVE = (
    Scenario(
        "active/kl_ucb",
        {"prompts": THREE},
        {"rounds": 2, "prompts_per_round": 1, "eta": 4.0, "width": 0.2, "unseen": 2, "fit": {"steps": 4}},
        {
            "answers": {
                "round-1": {"x?": [("a", 0.5), ("b", 0.9), ("a", 0.7)]},
                "round-1-unseen": {"x?": ["c", "a"]},
                "round-2": {"y?": {"d": 0.0}},
                "round-2-unseen": {"y?": ["e", "d"]},
            }
        },
        """
        collect round-1: x? | 1 of policy=start | rewards
        collect round-1-unseen: x? | 2 of reference=start | no rewards
        train imitation/var on 'round 1': x?: b > c > a reward=[1.1 1 0.741421] | policy=start reference=start
            | no rewards | steps=4 settings={temperature=0.25}
        collect round-2: y? | 1 of policy=#1 | rewards
        collect round-2-unseen: y? | 2 of reference=start | no rewards
        train imitation/var on 'round 2': x?: b > c > a reward=[1.1 1 0.741421]; y?: e > d reward=[1 0.2]
            | policy=start reference=start | no rewards | steps=4 settings={temperature=0.25}
        return stage=2
        """,
    ),
    Scenario(
        "active/kl_ucb",
        {"prompts": TWO},
        {"rounds": 2, "unseen": 0, "fit": {"settings": {"prior": 0.0}}},
        {
            "answers": {
                "round-1": {"x?": [("a", 0.5), ("b", 0.9)], "y?": {"d": 0.0}},
                "round-2": {"x?": [("a", 0.1), ("a", 0.3)], "y?": {"d": 1.0}},
            }
        },
        """
        collect round-1: x?; y? | 1 of policy=start | rewards
        train imitation/var on 'round 1': x?: b > a reward=[1.4 1]; y?: d reward=[0.5]
            | policy=start reference=start | no rewards | settings={temperature=0.2 prior=0}
        collect round-2: x?; y? | 1 of policy=#1 | rewards
        train imitation/var on 'round 2': x?: b > a reward=[1.4 0.588675]; y?: d reward=[0.853553]
            | policy=start reference=start | no rewards | settings={temperature=0.2 prior=0}
        return stage=2
        """,
    ),
    Scenario(
        "active/optimal_design",
        {"prompts": prompts("x?")},
        {"labels": 4, "dimensions": 2, "method": "preference/ipo", "then": {"steps": 4}},
        {
            "answers": {"answers": {"x?": ["a", "b", "d", "c", "a"]}},
            "states": CORNERS,
            "scores": lambda e: {"a": 0.3, "b": 0.1, "c": 0.2}[e.text],
        },
        """
        collect answers: x? | 4 of policy=start | no rewards
        embed states: x? -> a; x? -> b; x? -> d; x? -> c | policy=start
        note 3 of 6 comparisons are labelled, 4 times
        score labels: x? a; x? b; x? c | rewards
        train preference/ipo on 'labelled comparisons': x?: a > b; x?: a > c; x?: a > c; x?: c > b
            | policy=start reference=start | no rewards | steps=4
        return stage=1
        """,
    ),
    Scenario(
        "active/optimal_design",
        {"prompts": TWO},
        {"labels": 2, "dimensions": 1},
        {
            "answers": {"answers": {"x?": ["a", "b"], "y?": ["c", "d"]}},
            "states": CORNERS,
            "scores": lambda e: {"a": 0.3, "b": 0.1, "c": None, "d": 0.2}[e.text],
        },
        """
        collect answers: x?; y? | 4 of policy=start | no rewards
        embed states: x? -> a; x? -> b; y? -> c; y? -> d | policy=start
        note 1 of 2 comparisons are labelled, 2 times
        score labels: x? a; x? b | rewards
        train preference/dpo on 'labelled comparisons': x?: a > b; x?: a > b | policy=start reference=start
            | no rewards
        return stage=1
        """,
    ),
    Scenario(  # the first that is asked about is the best as far as is known
        "active/efficient_exploration",
        {"prompts": prompts("x?")},
        {"rounds": 4, "draws": 1, "dimensions": 1, "method": "preference/ipo", "then": {"steps": 4}},
        {
            "answers": {f"round-{n}": {"x?": ["b", "c"]} for n in range(1, 5)},
            "states": {"b": [2.0, 1.0], "c": [-2.0, 1.0]},
            "scores": lambda e: {"b": 0.1, "c": 0.9}[e.text],
        },
        """
        collect round-1: x? | 8 of policy=start | no rewards
        embed states-1: x? -> b; x? -> c | policy=start
        score labels-1: x? b; x? c | rewards
        collect round-2: x? | 8 of policy=start | no rewards
        embed states-2: x? -> b; x? -> c | policy=start
        score labels-2: x? c; x? b | rewards
        collect round-3: x? | 8 of policy=start | no rewards
        embed states-3: x? -> b; x? -> c | policy=start
        score labels-3: x? c; x? b | rewards
        collect round-4: x? | 8 of policy=start | no rewards
        embed states-4: x? -> b; x? -> c | policy=start
        score labels-4: x? c; x? b | rewards
        train preference/ipo on 'explored comparisons': x?: c > b | policy=start reference=start |
            no rewards | steps=4
        return stage=1
        """,
    ),
    Scenario(
        "active/efficient_exploration",
        {"prompts": prompts("x?")},
        {"rounds": 1, "draws": 1, "dimensions": 1},
        {
            "answers": {"round-1": {"x?": ["b", "a", "d", "c"]}},
            "states": CORNERS,
            "scores": lambda e: {"a": 0.3, "b": 0.1, "c": 0.2, "d": 0.15}[e.text],
            "seeds": {("draws", 1): 2, ("couples", 1): 77},
        },
        """
        collect round-1: x? | 8 of policy=start | no rewards
        embed states-1: x? -> b; x? -> a; x? -> d; x? -> c | policy=start
        score labels-1: x? c; x? d | rewards
        train preference/dpo on 'explored comparisons': x?: c > d | policy=start reference=start |
            no rewards
        return stage=1
        """,
    ),
    Scenario(
        "active/efficient_exploration",
        {"prompts": THREE},
        {"rounds": 2, "prompts_per_round": 1, "draws": 3, "dimensions": 2},
        {
            "answers": {"round-1": {"x?": ["a", "b", "c", "d", "a"]}, "round-2": {"y?": ["a", "d", "b"]}},
            "states": CORNERS,
            "scores": lambda e: {"a": 0.3, "b": 0.1, "c": 0.2, "d": 0.15}[e.text],
        },
        """
        collect round-1: x? | 8 of policy=start | no rewards
        embed states-1: x? -> a; x? -> b; x? -> c; x? -> d | policy=start
        score labels-1: x? c; x? a | rewards
        collect round-2: y? | 8 of policy=start | no rewards
        embed states-2: y? -> a; y? -> d; y? -> b | policy=start
        score labels-2: y? a; y? b | rewards
        train preference/dpo on 'explored comparisons': x?: a > c; y?: a > b | policy=start
            reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "active/efficient_exploration",
        {"prompts": prompts("x?", "y?", "z?")},
        {"rounds": 1},
        {
            "answers": {"round-1": {"x?": ["a", "b"], "y?": ["c", "d"], "z?": ["a", "d"]}},
            "states": CORNERS,
            "scores": lambda e: {"a": 0.3, "b": 0.4, "c": None, "d": 0.2}[e.text],
        },
        """
        collect round-1: x?; y?; z? | 8 of policy=start | no rewards
        embed states-1: x? -> a; x? -> b; y? -> c; y? -> d; z? -> a; z? -> d | policy=start
        score labels-1: x? b; x? a; y? d; y? c; z? a; z? d | rewards
        train preference/dpo on 'explored comparisons': x?: b > a; z?: a > d | policy=start
            reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "active/dual_active_learning",
        {
            "pairs": pairs(
                ("p?", "a", "b"), ("p?", "b", "a"), ("q?", "c", "a"), ("q?", "d", "a"), annotator=[1, 2, 1, 2]
            )
        },
        {"labels": 2, "refit": 1, "rationality": {"2": 2.0}, "method": "preference/ipo", "then": {"steps": 4}},
        {"states": CORNERS},
        """
        embed compared: p?: a > b; p?: b > a; q?: c > a; q?: d > a | policy=start
        note 2 of 4 comparisons are asked for
        train preference/ipo on 'answers': p?: b > a; q?: c > a | policy=start | no rewards |
            steps=4
        return stage=1
        """,
    ),
    Scenario(
        "active/dual_active_learning",
        {"pairs": pairs(("p?", "a", "b"), ("q?", "c", "a"), ("r?", "d", "a"), ("s?", "c", "b"))},
        {"labels": 2, "refit": 3, "dimensions": 1},
        {"states": CORNERS},
        """
        embed compared: p?: a > b; q?: c > a; r?: d > a; s?: c > b | policy=start
        note 3 of 4 comparisons are asked for
        train reward/bradley_terry on 'answers': s?: c > b; q?: c > a; r?: d > a | policy=start | no
            rewards
        return stage=1
        """,
        {"dual_design": lambda vectors, beta, labels, refit=8: [refit, vectors.shape[1], labels]},
    ),
    Scenario(
        "active/dual_active_learning",
        {"pairs": pairs(("p?", "a", "b"), ("q?", "c", "a"))},
        {},
        {"states": CORNERS},
        """
        embed compared: p?: a > b; q?: c > a | policy=start
        note 2 of 2 comparisons are asked for
        train reward/bradley_terry on 'answers': p?: a > b; q?: c > a | policy=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "active/dual_active_learning",
        {"pairs": pairs(("p?", "a", "b"), annotator=["ann"])},
        {"rationality": {"anne": 2.0}},
        {"states": CORNERS},
        """
        ConfigError: rationality: no annotator 'anne' in pairs (did you mean 'ann'?)
        """,
    ),
    Scenario(
        "active/popl",
        {"pairs": pairs(("p?", "east", "west"), ("q?", "west", "east"), ("r?", "north", "south")), "prompts": TWO},
        {
            "dimensions": 2,
            "pool": 20,
            "generations": 3,
            "mutation": 0.3,
            "method": "preference/ipo",
            "dpo": {"steps": 4},
        },
        {
            "states": {
                **COMPASS,
                "a": [3.0, 0.0],
                "b": [-3.0, 0.0],
                "c": [0.0, 2.0],
                "d": [1.0, 0.5],
                "e": [0.0, -1.0],
            },
            "answers": {"answers": {"x?": ["a", "b", "c", "a"], "y?": ["d", "e"]}},
            "seeds": {("popl",): 1},
            "folder": Path("run"),
        },
        """
        embed compared: p?: east > west; q?: west > east; r?: north > south | policy=start
        note 2 rewards are left, 2 are pursued
        collect answers: x?; y? | 8 of policy=start | no rewards
        embed answered: x? -> a; x? -> b; x? -> c; y? -> d; y? -> e | policy=start
        train preference/ipo on 'answers by reward 0': x?: a > b; y?: d > e | policy=start reference=start
            | no rewards | steps=4
        train preference/ipo on 'answers by reward 1': x?: b > a; y?: e > d
            | policy=start policy_0=#1 reference=start | no rewards | steps=4
        train preference/ipo on 'answers by reward 2': x?: c > b; y?: d > e
            | policy=start policy_0=#1 policy_1=#2 reference=start | no rewards | steps=4
        save policy_0=#1 in run/policy_0
        save policy_1=#2 in run/policy_1
        return stage=3
        """,
        FIRST_AXES,
    ),
    Scenario(
        "active/popl",
        {"pairs": pairs(("p?", "east", "west"), ("q?", "west", "east")), "prompts": prompts("x?")},
        {"dimensions": 1, "policies": 1},
        {
            "states": {**COMPASS, "a": [3.0, -2.0], "b": [-3.0, 2.0], "c": [1.0, 99.0]},
            "answers": {"answers": {"x?": ["a", "b", "c"]}},
            "seeds": {("popl",): 1},
        },
        """
        embed compared: p?: east > west; q?: west > east | policy=start
        note 2 rewards are left, 1 are pursued
        collect answers: x? | 8 of policy=start | no rewards
        embed answered: x? -> a; x? -> b; x? -> c | policy=start
        train preference/dpo on 'answers by reward 0': x?: a > b | policy=start reference=start | no rewards
        train preference/dpo on 'answers by reward 1': x?: a > b | policy=start policy_0=#1 reference=start
            | no rewards
        return stage=2
        """,
        FIRST_AXES,
    ),
    *(
        Scenario(
            "active/online_offline_gap",
            {"prompts": TWO, "pairs": GIVEN},
            {"arm": arm, "rounds": 2, "n": 3, "method": "preference/dpo", "train": {"steps": 4}, **more},
            {"answers": COMPARED},
            transcript,
        )
        for arm, more, transcript in [
            (
                "online",
                {"prompts_per_round": 1, "rounds": 1},
                """
        collect round-1: x? | 3 of policy=start | rewards
        train preference/dpo on 'round 1': x?: rr1 > r1 | policy=start reference=start | no rewards | steps=4
        return stage=1
        """,
            ),
            (
                "online",
                {"prompts_per_round": 1, "rounds": 1, "train": {"epochs": 2}},
                """
        collect round-1: x? | 3 of policy=start | rewards
        train preference/dpo on 'round 1': x?: rr1 > r1 | policy=start reference=start | no rewards | epochs=2
        return stage=1
        """,
            ),
            (
                "online",
                {"train": {}},
                """
        collect round-1: x?; y? | 3 of policy=start | rewards
        train preference/dpo on 'round 1': x?: rr1 > r1 | policy=start reference=start | no rewards | steps=3
        collect round-2: x?; y? | 3 of policy=#1 | rewards
        train preference/dpo on 'round 2': x?: rr2 > r2 | policy=#1 reference=start | no rewards | steps=3
        return stage=2
        """,
            ),
            (
                "offline",
                {},
                """
        train preference/dpo on 'pairs': p?: w > l; q?: v > k | policy=start reference=start | no rewards | steps=4
        return stage=1
        """,
            ),
            (
                "shuffled",
                {},
                """
        collect round-1: x?; y? | 3 of policy=start | rewards
        train preference/dpo on 'round 1': x?: rr1 > r1 | policy=start reference=start | no rewards | steps=2
        collect round-2: x?; y? | 3 of policy=#1 | rewards
        train preference/dpo on 'round 2': x?: rr2 > r2 | policy=#1 reference=start | no rewards | steps=2
        train preference/dpo on 'pairs of shuffled': x?: rr1 > r1; x?: rr2 > r2 | policy=start reference=start
            | no rewards | steps=4
        return stage=3
        """,
            ),
            (
                "final",
                {},
                """
        collect round-1: x?; y? | 3 of policy=start | rewards
        train preference/dpo on 'round 1': x?: rr1 > r1 | policy=start reference=start | no rewards | steps=2
        collect round-2: x?; y? | 3 of policy=#1 | rewards
        train preference/dpo on 'round 2': x?: rr2 > r2 | policy=#1 reference=start | no rewards | steps=2
        collect final-1: x?; y? | 3 of policy=#2 | rewards
        collect final-2: x?; y? | 3 of policy=#2 | rewards
        train preference/dpo on 'pairs of final': x?: ff1 > f1; x?: ff2 > f2 | policy=start reference=start
            | no rewards | steps=4
        return stage=3
        """,
            ),
            (
                "best_of_n",
                {},
                """
        collect best_of_n-1: x?; y? | 3 of policy=start | rewards
        collect best_of_n-2: x?; y? | 3 of policy=start | rewards
        train preference/dpo on 'pairs of best_of_n': x?: bb1 > b1; x?: bb2 > b2 | policy=start reference=start
            | no rewards | steps=4
        return stage=1
        """,
            ),
            (
                "sft",
                {},
                """
        train imitation/sft on 'preferred answers': p? -> w; q? -> v | policy=start reference=start | no rewards
            | steps=4
        train preference/dpo on 'pairs': p?: w > l; q?: v > k | policy=#1 reference=start | no rewards | steps=4
        return stage=2
        """,
            ),
            (
                "sft",
                {"sft": {"steps": 9}},
                """
        train imitation/sft on 'preferred answers': p? -> w; q? -> v | policy=start reference=start | no rewards
            | steps=9
        train preference/dpo on 'pairs': p?: w > l; q?: v > k | policy=#1 reference=start | no rewards | steps=4
        return stage=2
        """,
            ),
        ]
    ),
)

"""What the procedures do that train without gradients."""

from __future__ import annotations

from tests.procedures.transcripts.records import THREE, TWO
from tests.procedures.transcripts.scenario import Scenario

ZEROTH_ORDER = (
    Scenario(
        "zeroth_order/zo_ranksgd",
        {"prompts": THREE},
        {"rounds": 2, "prompts_per_round": 1, "directions": 3, "ranked": 1, "smoothing": 0.5, "rate": 0.25},
        {
            "answers": {
                **{f"round-1-{i}": {"x?": {"a": x, "b": 0.0}} for i, x in [(1, 0.2), (2, 0.9), (3, 0.4)]},
                **{f"round-2-{i}": {"y?": {"a": x}} for i, x in [(1, 0.2), (2, 0.1), (3, 0.0)]},
            }
        },
        """
        collect round-1-1: x? | 1 of moved=(start +0.5*1-1 normal) | rewards
        collect round-1-2: x? | 1 of moved=(start +0.5*1-2 normal) | rewards
        collect round-1-3: x? | 1 of moved=(start +0.5*1-3 normal) | rewards
        advance 1/2 | policy=(start -0.125*1-1 +0.25*1-2 -0.125*1-3 normal) | reward=0.25 reward_best=0.45
        collect round-2-1: y? | 1 of moved=((start -0.125*1-1 +0.25*1-2 -0.125*1-3 normal) +0.5*2-1 normal)
            | rewards
        collect round-2-2: y? | 1 of moved=((start -0.125*1-1 +0.25*1-2 -0.125*1-3 normal) +0.5*2-2 normal)
            | rewards
        collect round-2-3: y? | 1 of moved=((start -0.125*1-1 +0.25*1-2 -0.125*1-3 normal) +0.5*2-3 normal)
            | rewards
        advance 2/2 | policy=((start -0.125*1-1 +0.25*1-2 -0.125*1-3 normal) +0.25*2-1 -0.125*2-2 -0.125*2-3 normal)
            | reward=0.1 reward_best=0.2
        return reward=0.1 reward_best=0.2
        """,
    ),
    Scenario(
        "zeroth_order/zo_ranksgd",
        {"prompts": TWO},
        {"rounds": 1},
        {"answers": {f"round-1-{i}": {"x?": {"a": i / 8}, "y?": {"b": None}} for i in range(1, 9)}},
        """
        collect round-1-1: x?; y? | 1 of moved=(start +0.001*1-1 normal) | rewards
        collect round-1-2: x?; y? | 1 of moved=(start +0.001*1-2 normal) | rewards
        collect round-1-3: x?; y? | 1 of moved=(start +0.001*1-3 normal) | rewards
        collect round-1-4: x?; y? | 1 of moved=(start +0.001*1-4 normal) | rewards
        collect round-1-5: x?; y? | 1 of moved=(start +0.001*1-5 normal) | rewards
        collect round-1-6: x?; y? | 1 of moved=(start +0.001*1-6 normal) | rewards
        collect round-1-7: x?; y? | 1 of moved=(start +0.001*1-7 normal) | rewards
        collect round-1-8: x?; y? | 1 of moved=(start +0.001*1-8 normal) | rewards
        advance 1/1
            | policy=(start -0.000166667*1-1 -0.000166667*1-2 -0.000166667*1-3 -0.000166667*1-4 -0.000166667*1-5
            +0.000166667*1-6 +0.000277778*1-7 +0.000388889*1-8 normal)
            | reward=0.5625 reward_best=1
        return reward=0.5625 reward_best=1
        """,
    ),
    Scenario(
        "zeroth_order/zpg",
        {"prompts": THREE},
        {
            "rounds": 2,
            "prompts_per_round": 1,
            "directions": 2,
            "coordinates": 7,
            "smoothing": 0.5,
            "rate": 0.25,
            "clip": 0.2,
        },
        {
            "answers": {
                "round-1-1": {"x?": {"a": 0.6}},
                ("round-1-1", 1): {"x?": {"b": 0.4}},
                "round-1-2": {"x?": {"a": 0.0}},
                ("round-1-2", 1): {"x?": {"b": 1.0}},
                "round-2-1": {"y?": {"c": 0.5}},
                ("round-2-1", 1): {"y?": {"d": 0.25}},
                "round-2-2": {"y?": {"c": 0.75}},
                ("round-2-2", 1): {"y?": {"d": 0.75}},
            }
        },
        """
        collect round-1-1: x? | 1 of moved=(start +0.5*1-1 7), 1 of policy=start | rewards
        collect round-1-2: x? | 1 of moved=(start +0.5*1-2 7), 1 of policy=start | rewards
        advance 1/2 | policy=(start +0.101366*1-1 -0.346574*1-2 7) | gain=-0.490415 step_length=0.22397
        collect round-2-1: y?
            | 1 of moved=((start +0.101366*1-1 -0.346574*1-2 7) +0.5*2-1 7), 1 of policy=(start +0.101366*1-1
            -0.346574*1-2 7)
            | rewards
        collect round-2-2: y?
            | 1 of moved=((start +0.101366*1-1 -0.346574*1-2 7) +0.5*2-2 7), 1 of policy=(start +0.101366*1-1
            -0.346574*1-2 7)
            | rewards
        advance 2/2 | policy=((start +0.101366*1-1 -0.346574*1-2 7) +0.137327*2-1 +0*2-2 7)
            | gain=0.274653 step_length=0.0686633
        return gain=0.274653 step_length=0.0686633
        """,
    ),
    Scenario(
        "zeroth_order/zpg",
        {"prompts": TWO},
        {"rounds": 1},
        {
            "answers": {
                "round-1-1": {"x?": {"a": 1.0}, "y?": {"c": None}},
                ("round-1-1", 1): {"x?": {"b": 0.3}, "y?": {"d": 0.1}},
            }
        },
        """
        collect round-1-1: x?; y? | 1 of moved=(start +0.001*1-1 sphere), 1 of policy=start | rewards
        advance 1/1 | policy=(start +0.00199632*1-1 sphere) | gain=1.99632 step_length=0.00199632
        return gain=1.99632 step_length=0.00199632
        """,
    ),
)

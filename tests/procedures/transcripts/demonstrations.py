"""What the procedures do that learn from demonstrations alone."""

from __future__ import annotations

from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.records import THREE
from tests.procedures.transcripts.scenario import Scenario

DEMONSTRATIONS = (
    Scenario(
        "demonstrations/inverse_q",
        {"prompts": THREE},
        {
            "rounds": 2,
            "prompts_per_round": 1,
            "wanted": " Be good!",
            "unwanted": " Be bad!",
            "regression": {"steps": 4, "settings": {"beta": 2.0}},
        },
        {
            "answers": {"round-1": {"x?": ["a", "bb"]}, "round-2": {"y?": ["c"]}},
            "measures": {
                "round-1-good": [[-1.0], [-2.0, -0.5]],
                "round-1-bad": [[-1.5], [-1.0, -0.75]],
                "round-2-good": [[-3.0]],
                "round-2-bad": [[-1.0]],
            },
        },
        """
        collect round-1: x? | 4 of policy=start | no rewards
        measure round-1-good: x? Be good! -> a; x? Be good! -> bb | ref_token_logp of policy=start reference=start
        measure round-1-bad: x? Be bad! -> a; x? Be bad! -> bb | ref_token_logp of policy=start reference=start
        train imitation/inverse_q on 'round 1': x? -> a token_reward=[0.5]; x? -> bb token_reward=[-1 0.25]
            | policy=start reference=start | no rewards | steps=4 settings={beta=2}
        collect round-2: y? | 4 of policy=#1 | no rewards
        measure round-2-good: y? Be good! -> c | ref_token_logp of policy=#1 reference=start
        measure round-2-bad: y? Be bad! -> c | ref_token_logp of policy=#1 reference=start
        train imitation/inverse_q on 'round 2': y? -> c token_reward=[-2] | policy=#1 reference=start | no rewards
            | steps=4 settings={beta=2}
        return stage=2
        """,
    ),
    Scenario(
        "demonstrations/inverse_q",
        {"prompts": prompts("x?", "x?")},
        {},
        {
            "samples": 1,
            "answers": {f"round-{n}": {"x?": ["a"]} for n in (1, 2, 3)},
            "measures": {f"round-{n}-{c}": [[-1.0]] for n in (1, 2, 3) for c in ("good", "bad")},
        },
        """
        collect round-1: x? | 1 of policy=start | no rewards
        measure round-1-good: x? Give a helpful, correct and harmless answer. -> a
            | ref_token_logp of policy=start reference=start
        measure round-1-bad: x? -> a | ref_token_logp of policy=start reference=start
        train imitation/inverse_q on 'round 1': x? -> a token_reward=[0] | policy=start reference=start | no rewards
        collect round-2: x? | 1 of policy=#1 | no rewards
        measure round-2-good: x? Give a helpful, correct and harmless answer. -> a
            | ref_token_logp of policy=#1 reference=start
        measure round-2-bad: x? -> a | ref_token_logp of policy=#1 reference=start
        train imitation/inverse_q on 'round 2': x? -> a token_reward=[0] | policy=#1 reference=start | no rewards
        collect round-3: x? | 1 of policy=#2 | no rewards
        measure round-3-good: x? Give a helpful, correct and harmless answer. -> a
            | ref_token_logp of policy=#2 reference=start
        measure round-3-bad: x? -> a | ref_token_logp of policy=#2 reference=start
        train imitation/inverse_q on 'round 3': x? -> a token_reward=[0] | policy=#2 reference=start | no rewards
        return stage=3
        """,
    ),
)

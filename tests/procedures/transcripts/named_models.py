"""What the pipelines of named models do."""

from __future__ import annotations

from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.records import THREE, TWO, demonstrations, pairs
from tests.procedures.transcripts.scenario import Scenario

KNOWN = demonstrations(("s?", "shown"), ("t?", "told"))
CHOSEN = pairs(("w?", "good", "bad"))
CODEINE = ({"role": "user", "content": "which dose of codeine?"},)
DOSES = demonstrations(
    ("which dose of aspirin?", "one a day"),
    (CODEINE, ({"role": "assistant", "content": "none"},)),
    ("is aspirin sold here?", "yes"),
)

NAMED_MODELS = (
    Scenario(  # no SFT: the demonstrations are measured, before anything is trained and after all is
        "pipelines/direct_rlhf",
        {"pairs": CHOSEN, "prompts": TWO, "demonstrations": KNOWN},
        {"reward": {"steps": 2}, "ppo": {"steps": 3}},
        {"measures": {"capabilities-before": [-1.0, -2.0], "capabilities-after": [-2.0, -2.5]}},
        """
        measure capabilities-before: s? -> shown; t? -> told | mean_logp of policy=start
        train reward/bradley_terry on 'pairs': w?: good > bad | policy=start reference=start reward=start
            | no rewards | steps=2
        train online/ppo on 'prompts': x?; y? | critic=#1 policy=start reference=start reward=#1 | no rewards | steps=3
        measure capabilities-after: s? -> shown; t? -> told
            | mean_logp of critic=#1 policy=#2 reference=start reward=#1
        note other tasks: log-likelihood of a token -1.5 before RLHF, -2.25 after it
        artefact capabilities: before=-1.5 after=-2.25 change=-0.75
        return stage=2 capabilities/change=-0.75
        """,
    ),
    Scenario(
        "pipelines/direct_rlhf",
        {"pairs": CHOSEN, "prompts": TWO},
        {},
        {},
        """
        train reward/bradley_terry on 'pairs': w?: good > bad | policy=start reference=start reward=start | no rewards
        train online/ppo on 'prompts': x?; y? | critic=#1 policy=start reference=start reward=#1 | no rewards
        return stage=2
        """,
    ),
    Scenario(  # every round compares the newest policy's answers, and RL reads the reward model of this round
        "pipelines/gemini",
        {"prompts": THREE, "pairs": CHOSEN},
        {"rounds": 2, "prompts_per_round": 1, "method": "online/grpo", "reward": {"steps": 1}, "then": {"steps": 2}},
        {"answers": {"round-1": {"x?": {"a": 0.1, "b": 0.9}}, "round-2": {"y?": {"c": 0.4, "d": 0.2}}}},
        """
        collect round-1: x? | 2 of policy=start | rewards
        train reward/bradley_terry on 'comparisons of 1 rounds': w?: good > bad; x?: b > a
            | policy=start reference=start reward=start | no rewards | steps=1
        train online/grpo on 'prompts': x?; y?; z? | critic=#1 policy=start reference=start reward=#1 | no rewards
            | steps=2
        collect round-2: y? | 2 of policy=#2 | rewards
        train reward/bradley_terry on 'comparisons of 2 rounds': w?: good > bad; x?: b > a; y?: c > d
            | critic=#1 policy=#2 reference=start reward=start | no rewards | steps=1
        train online/grpo on 'prompts': x?; y?; z? | critic=#3 policy=#2 reference=start reward=#3 | no rewards
            | steps=2
        return stage=4
        """,
    ),
    Scenario(
        "pipelines/gemini",
        {"prompts": prompts("x?")},
        {},
        {"answers": {f"round-{n}": {"x?": {f"a{n}": 0.1, f"b{n}": 0.9}} for n in (1, 2, 3)}},
        """
        collect round-1: x? | 2 of policy=start | rewards
        train reward/bradley_terry on 'comparisons of 1 rounds': x?: b1 > a1
            | policy=start reference=start reward=start | no rewards
        train online/ppo on 'prompts': x? | critic=#1 policy=start reference=start reward=#1 | no rewards
        collect round-2: x? | 2 of policy=#2 | rewards
        train reward/bradley_terry on 'comparisons of 2 rounds': x?: b1 > a1; x?: b2 > a2
            | critic=#1 policy=#2 reference=start reward=start | no rewards
        train online/ppo on 'prompts': x? | critic=#3 policy=#2 reference=start reward=#3 | no rewards
        collect round-3: x? | 2 of policy=#4 | rewards
        train reward/bradley_terry on 'comparisons of 3 rounds': x?: b1 > a1; x?: b2 > a2; x?: b3 > a3
            | critic=#3 policy=#4 reference=start reward=start | no rewards
        train online/ppo on 'prompts': x? | critic=#5 policy=#4 reference=start reward=#5 | no rewards
        return stage=6
        """,
    ),
    Scenario(  # the reward model is a larger one, given by name: it is trained as it is
        "pipelines/gemma2",
        {"pairs": CHOSEN, "prompts": TWO},
        {
            "members": 3,
            "rates": (0.2, 0.1),
            "rule": "slerp",
            "method": "online/grpo",
            "reward": {"steps": 1},
            "then": {"steps": 2, "learning_rate": 0.5},
        },
        {"weights": {"reward": "larger"}},
        """
        train reward/bradley_terry on 'pairs': w?: good > bad | policy=start reward=larger | no rewards | steps=1
        train online/grpo on 'prompts': x?; y? | policy=start reference=start reward=#1 | no rewards
            | steps=2 learning_rate=0.2
        evaluate member_0 | policy=#2
        train online/grpo on 'prompts': x?; y? | member_0=#2 policy=start reference=start reward=#1 | no rewards
            | steps=2 learning_rate=0.1
        evaluate member_1 | policy=#3
        train online/grpo on 'prompts': x?; y? | member_0=#2 member_1=#3 policy=start reference=start reward=#1
            | no rewards | steps=2 learning_rate=0.2
        evaluate member_2 | policy=#4
        evaluate average | policy=slerp(#2, #3, #4 from start)
        return stage=4
        """,
    ),
    Scenario(
        "pipelines/gemma2",
        {"pairs": CHOSEN, "prompts": TWO},
        {"then": {"steps": 2}},
        {"weights": {"reward": "larger"}},
        """
        train reward/bradley_terry on 'pairs': w?: good > bad | policy=start reward=larger | no rewards
        train online/rloo on 'prompts': x?; y? | policy=start reference=start reward=#1 | no rewards | steps=2
        evaluate member_0 | policy=#2
        train online/rloo on 'prompts': x?; y? | member_0=#2 policy=start reference=start reward=#1 | no rewards
            | steps=2
        evaluate member_1 | policy=#3
        evaluate average | policy=linear(#2, #3 from start)
        return stage=3
        """,
    ),
    Scenario(  # "which dose" is in two questions, "is sold here" in two
        "pipelines/medaide",
        {"demonstrations": DOSES, "pairs": pairs(("is codeine sold here?", "no", "yes")),
         "prompts": prompts("which dose of aspirin?", "what else?")},
        {"retrieved": 1, "sft": {"steps": 1}, "reward": {"steps": 2}, "ppo": {"steps": 3}},
        {},
        """
        train imitation/sft on 'demonstrations': which dose of codeine? none which dose of aspirin? -> one a day;
           chat: which dose of codeine? -> none;
           which dose of aspirin? one a day is aspirin sold here? -> yes | policy=start | no rewards | steps=1
        train reward/bradley_terry on 'pairs': is aspirin sold here? yes is codeine sold here?: no > yes
            | policy=#1 reference=#1 reward=#1 | no rewards | steps=2
        train online/ppo on 'prompts': which dose of codeine? none which dose of aspirin?; what else?
            | critic=#2 policy=#1 reference=#1 reward=#2 | no rewards | steps=3
        return stage=3
        """,
    ),
    Scenario(
        "pipelines/medaide",
        {"demonstrations": DOSES, "pairs": pairs(("is codeine sold here?", "no", "yes")),
         "prompts": prompts("of which dose of aspirin?")},
        {},
        {},
        """
        train imitation/sft on 'demonstrations': which dose of codeine? none is aspirin sold here? yes
            which dose of aspirin? -> one a day; chat: which dose of codeine? -> none;
            which dose of aspirin? one a day is aspirin sold here? -> yes | policy=start | no rewards
        train reward/bradley_terry on 'pairs': is aspirin sold here? yes which dose of codeine? none
            is codeine sold here?: no > yes | policy=#1 reference=#1 reward=#1 | no rewards
        train online/ppo on 'prompts': which dose of aspirin? one a day which dose of codeine? none
            of which dose of aspirin? | critic=#2 policy=#1 reference=#1 reward=#2 | no rewards
        return stage=3
        """,
    ),
)  # fmt: skip

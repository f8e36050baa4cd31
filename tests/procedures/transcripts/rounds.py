"""What the procedures in rounds do."""

from __future__ import annotations

from posttrain.procedures.rounds.rise import REQUEST
from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.records import THREE, TWO, demonstrations, pairs
from tests.procedures.transcripts.scenario import Scenario

GRADED = {
    "round-1": {"x?": {"a": 0.1, "b": 0.9, "c": 0.5}, "y?": {"d": 0.2, "e": None, "f": 0.4}},
    "round-2": {"x?": {"g": 0.6, "h": 0.3, "b": 0.8}, "y?": {"i": 1.0, "j": 0.0, "k": 0.7}},
}
OLD = pairs(("x?", "p", "q"), ("z?", "r", "s"), ("w?", "t", "u"))

ROUNDS = (
    Scenario(  # e^-0.5 = 0.607: 10 - round(0.607 * 6) = 6 samples, 0.5 + 0.607 * 1.5 = 1.41
        "rounds/esrl",
        {"prompts": THREE},
        {
            "rounds": 2,
            "prompts_per_round": 2,
            "least": 4,
            "most": 10,
            "cold": 0.5,
            "warm": 2.0,
            "training": {"steps": 4},
        },
        {"answers": {"round-1": {"x?": ["a"], "y?": ["b"]}, "round-2": {"z?": ["c"], "x?": ["d"]}}},
        """
        collect round-1: x?; y? | 1 of policy=start | no rewards
        note round 1: 6 samples at temperature 1.41
        train esrl on 'round 1': x?; y? | policy=start | rewards | steps=4
        collect round-2: z?; x? | 1 of policy=#1 | no rewards
        note round 2: 6 samples at temperature 1.41
        train esrl on 'round 2': z?; x? | policy=#1 | rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "rounds/esrl",
        {"prompts": TWO},
        {"rounds": 1},
        {"answers": {"round-1": {"x?": ["a"], "y?": ["b"]}}},
        """
        collect round-1: x?; y? | 1 of policy=start | no rewards
        note round 1: 4 samples at temperature 1
        train esrl on 'round 1': x?; y? | policy=start | rewards
        return stage=1
        """,
    ),
    *(
        Scenario(
            "rounds/esrl",
            {"prompts": TWO},
            {},
            {"answers": {}, **given},
            """
            ConfigError: sampling: esrl sets samples and temperature; remove them, or set procedure.most and .cold
            """,
        )
        for given in ({"samples": 4}, {"temperature": 0.5})
    ),
    Scenario(
        "rounds/raft",
        {"prompts": TWO},
        {"rounds": 2},
        {"answers": GRADED},
        """
        collect round-1: x?; y? | 8 of policy=start | rewards
        train imitation/sft on 'round 1': x? -> b; y? -> f | policy=start | no rewards
        collect round-2: x?; y? | 8 of policy=#1 | rewards
        train imitation/sft on 'round 2': x? -> b; y? -> i | policy=#1 | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "rounds/raft",
        {"prompts": TWO},
        {"rounds": 2, "accept": "better"},
        {"answers": GRADED, "held_out": {"before the rounds": 0.5, "after round 1": 0.4, "after round 2": 0.6}},
        """
        evaluate before the rounds | policy=start
        collect round-1: x?; y? | 8 of policy=start | rewards
        train imitation/sft on 'round 1': x? -> b; y? -> f | accepted=start policy=start | no rewards
        evaluate after round 1 | policy=#1
        note round 1 is taken back: 0.4 on held-out data is not above 0.5
        collect round-2: x?; y? | 8 of policy=start | rewards
        train imitation/sft on 'round 2': x? -> b; y? -> i | accepted=start policy=start | no rewards
        evaluate after round 2 | policy=#2
        return stage=2
        """,
    ),
    Scenario(
        "rounds/raft",
        {"prompts": THREE},
        {"rounds": 2, "prompts_per_round": 1, "keep": 2, "start": "base", "sft": {"steps": 4}},
        {"answers": GRADED},
        """
        collect round-1: x? | 8 of policy=start | rewards
        train imitation/sft on 'round 1': x? -> b; x? -> c | base=start policy=start | no rewards | steps=4
        collect round-2: y? | 8 of policy=#1 | rewards
        train imitation/sft on 'round 2': y? -> i; y? -> k | base=start policy=start | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "rounds/rest",
        {"prompts": THREE, "demonstrations": demonstrations(("z?", "shown"))},
        {"grow": 2, "prompts_per_round": 1, "thresholds": (0.5, 0.15), "decay": 0.1, "sft": {"learning_rate": 2.0}},
        {"answers": {"grow-1": GRADED["round-1"], "grow-2": GRADED["round-2"]}},
        """
        collect grow-1: x? | 8 of policy=start | rewards
        train imitation/sft on 'grow 1, improve 1': x? -> b; x? -> c; z? -> shown | policy=start | no rewards
            | learning_rate=2
        train imitation/sft on 'grow 1, improve 2': x? -> b; z? -> shown | policy=#1 | no rewards
            | learning_rate=0.2
        collect grow-2: y? | 8 of policy=#2 | rewards
        train imitation/sft on 'grow 2, improve 1': y? -> i; y? -> k; z? -> shown | policy=#2 | no rewards
            | learning_rate=2
        train imitation/sft on 'grow 2, improve 2': y? -> i; y? -> k; z? -> shown | policy=#3 | no rewards
            | learning_rate=0.2
        return stage=4
        """,
    ),
    Scenario(
        "rounds/rest",
        {"prompts": TWO},
        {"grow": 1, "thresholds": (1.0, 0.4), "quantiles": True, "sft": {"learning_rate": {"policy": 2.0}}},
        {"answers": {"grow-1": GRADED["round-1"]}},
        """
        collect grow-1: x?; y? | 8 of policy=start | rewards
        train imitation/sft on 'grow 1, improve 1': x? -> b; x? -> c; y? -> f | policy=start | no rewards
            | learning_rate={policy=2}
        return stage=1
        """,
    ),
    Scenario(  # without a learning rate in the run file, the method's is scaled
        "rounds/rest",
        {"prompts": TWO},
        {"grow": 1, "thresholds": (0.15, 0.5), "decay": 0.1},
        {"answers": {"grow-1": GRADED["round-1"]}, "learning_rate": None},
        """
        collect grow-1: x?; y? | 8 of policy=start | rewards
        train imitation/sft on 'grow 1, improve 1': x? -> b; x? -> c; y? -> d; y? -> f | policy=start | no rewards
            | learning_rate={policy=2e-05}
        train imitation/sft on 'grow 1, improve 2': x? -> b | policy=#1 | no rewards | learning_rate={policy=2e-06}
        return stage=2
        """,
    ),
    Scenario(
        "rounds/rest",
        {"prompts": TWO},
        {"grow": 1, "thresholds": (1.0,)},
        {"answers": {"grow-1": GRADED["round-1"]}},
        """
        collect grow-1: x?; y? | 8 of policy=start | rewards
        DataError: grow 1, improve 1: no answer was good enough to learn from;
            sample more answers (sampling.samples), ask easier questions, or give rewards that tell answers apart
        """,
    ),
    Scenario(
        "rounds/expert_iteration",
        {"prompts": THREE},
        {"rounds": 2, "prompts_per_round": 1, "threshold": 0.05, "solutions": 1, "sft": {"steps": 4}},
        {"answers": GRADED},
        """
        collect round-1: x? | 8 of policy=start | rewards
        train imitation/sft on 'round 1': x? -> a | base=start policy=start | no rewards | steps=4
        collect round-2: y? | 8 of policy=#1 | rewards
        train imitation/sft on 'round 2': x? -> a; y? -> i | base=start policy=start | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "rounds/expert_iteration",
        {"prompts": TWO},
        {"rounds": 2, "history": False, "start": "latest"},
        {"answers": GRADED},
        """
        collect round-1: x?; y? | 8 of policy=start | rewards
        train imitation/sft on 'round 1': x? -> b | policy=start | no rewards
        collect round-2: x?; y? | 8 of policy=#1 | rewards
        train imitation/sft on 'round 2': x? -> g; x? -> b; y? -> i; y? -> k | policy=#1 | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "rounds/star",
        {"prompts": prompts("x?", "y?", "v?", "x?", answer=["b", "z", "u", "b"])},
        {"rounds": 2, "hint": " Say {answer}!", "steps": 5, "growth": 1.5, "threshold": 0.3, "sft": {"log_every": 1}},
        {
            "answers": {
                "round-1": {"x?": {"b": 0.4}, "y?": {"d": 0.2}, "v?": {"e": 0.3}},
                "round-1-with-hints": {"y? Say z!": {"z": 0.35}, "v? Say u!": {"f": 0.1}},
                "round-2": {"x?": {"b": 1.0}, "y?": {"z": 0.8}, "v?": {"u": 1.0}},
            }
        },
        """
        collect round-1: x?; y?; v? | 1 of policy=start at 0 | rewards
        collect round-1-with-hints: y? Say z!; v? Say u! | 1 of policy=start at 0 | rewards
        train imitation/sft on 'round 1': x? -> b; y? -> z | base=start policy=start | no rewards
            | log_every=1 steps=5
        collect round-2: x?; y?; v? | 1 of policy=#1 at 0 | rewards
        train imitation/sft on 'round 2': x? -> b; y? -> z; v? -> u | base=start policy=start | no rewards
            | log_every=1 steps=8
        return stage=2
        """,
    ),
    Scenario(
        "rounds/star",
        {"prompts": prompts("x?", "y?", "z?", answer=["b", "z", "v"])},
        {"rounds": 2, "prompts_per_round": 1},
        {
            "answers": {
                "round-1": {"x?": {"c": 0.5}},
                "round-1-with-hints": {"x? (The answer is b.)": {"b": 0.6}},
                "round-2": {"y?": {"z": 1.0}},
            }
        },
        """
        collect round-1: x? | 1 of policy=start at 0 | rewards
        collect round-1-with-hints: x? (The answer is b.) | 1 of policy=start at 0 | rewards
        train imitation/sft on 'round 1': x? -> b | base=start policy=start | no rewards | steps=40
        collect round-2: y? | 1 of policy=#1 at 0 | rewards
        train imitation/sft on 'round 2': y? -> z | base=start policy=start | no rewards | steps=48
        return stage=2
        """,
    ),
    Scenario(
        "rounds/star",
        {"prompts": prompts("x?", answer=["b"])},
        {"rounds": 2, "accept": "better"},
        {
            "answers": {"round-1": {"x?": {"b": 1.0}}, "round-2": {"x?": {"b": 1.0}}},
            "held_out": {"before the rounds": 0.5, "after round 1": 0.6, "after round 2": 0.6},
        },
        """
        evaluate before the rounds | policy=start
        collect round-1: x? | 1 of policy=start at 0 | rewards
        train imitation/sft on 'round 1': x? -> b | accepted=start base=start policy=start | no rewards | steps=40
        evaluate after round 1 | policy=#1
        collect round-2: x? | 1 of policy=#1 at 0 | rewards
        train imitation/sft on 'round 2': x? -> b | accepted=#1 base=start policy=start | no rewards | steps=48
        evaluate after round 2 | policy=#2
        note round 2 is taken back: 0.6 on held-out data is not above 0.6
        return stage=2
        """,
    ),
    Scenario(
        "rounds/iterative_dpo",
        {"prompts": TWO, "pairs": OLD},
        {"rounds": 2, "reference": "lag", "margin": 0.15, "length_penalty": 0.5, "dpo": {"steps": 4}},
        {
            "answers": {
                "round-1": {"x?": {"a": 0.1, "bbb": 0.9, "c": 0.0}, "y?": {"d": 0.2, "e": None, "f": 0.4}},
                "round-2": {"x?": {"g": 0.3, "h": 0.2}, "y?": {"i": 1.0, "j": 0.0, "k": 0.7}},
            }
        },
        """
        collect round-1: x?; y? | 4 of policy=start | rewards
        train preference/dpo on 'round 1': x?: p > q; z?: r > s; w?: t > u; x?: a > bbb; y?: f > d
            | next_reference=start policy=start reference=start | no rewards | steps=4
        collect round-2: x?; y? | 4 of policy=#1 | rewards
        train preference/dpo on 'round 2': x?: p > q; z?: r > s; w?: t > u; x?: a > bbb; y?: f > d; y?: i > j
            | next_reference=#1 policy=#1 reference=start | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "rounds/iterative_dpo",
        {"prompts": THREE},
        {
            "rounds": 2,
            "prompts_per_round": 1,
            "enhancer": "hot",
            "heat": 2.0,
            "pairing": "between_authors",
            "reference": "round",
            "history": False,
            "method": "preference/ipo",
        },
        {
            "answers": {
                **GRADED,
                ("round-1", 1): {"x?": {"l": 0.95, "m": 0.2}},
                ("round-2", 1): {"y?": {"n": 0.3, "o": 0.4}},
            }
        },
        """
        collect round-1: x? | 4 of policy=start, 4 of policy=start at 2 | rewards
        train preference/ipo on 'round 1': x?: l > b | policy=start reference=start | no rewards
        collect round-2: y? | 4 of policy=#1, 4 of policy=#1 at 2 | rewards
        train preference/ipo on 'round 2': y?: i > o | policy=#1 reference=#1 | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "rounds/iterative_dpo",
        {"prompts": TWO},
        {"rounds": 2, "enhancer": "previous", "reference": 0.25},
        {
            "answers": {
                **GRADED,
                ("round-1", 1): {"x?": {"l": 0.95}, "y?": {"m": 0.0}},
                ("round-2", 1): {"x?": {"n": 0.1}, "y?": {"o": 0.4}},
            }
        },
        """
        collect round-1: x?; y? | 4 of policy=start, 4 of previous=start | rewards
        train preference/dpo on 'round 1': x?: l > a; y?: f > m | policy=start previous=start reference=start
            | no rewards
        collect round-2: x?; y? | 4 of policy=#1, 4 of previous=start | rewards
        train preference/dpo on 'round 2': x?: l > a; y?: f > m; x?: b > n; y?: i > j
            | policy=#1 previous=#1 reference=(start + 0.25 to #1) | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "rounds/sdpo",
        {"pairs": OLD},
        {"dpo": {"steps": 4}},
        {"measures": {"liked": [0.5, -1.0, 0.7]}},
        """
        measure liked: x?: p > q; z?: r > s; w?: t > u | gap(pick(mean_logp)) of policy=start
        train preference/dpo on 'pairs, from 0': w?: t > u; x?: p > q | policy=start reference=start | no rewards
            | steps=4
        train preference/dpo on 'pairs, from 2': z?: r > s | policy=#1 reference=#1 | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "rounds/sdpo",
        {"pairs": OLD},
        {"stages": 3, "easy_first": False, "method": "preference/ipo"},
        {},
        """
        train preference/ipo on 'pairs, from 0': x?: p > q | policy=start reference=start | no rewards
        train preference/ipo on 'pairs, from 1': z?: r > s | policy=#1 reference=#1 | no rewards
        train preference/ipo on 'pairs, from 2': w?: t > u | policy=#2 reference=#2 | no rewards
        return stage=3
        """,
    ),
    Scenario(
        "rounds/dice",
        {"prompts": TWO, "pairs": OLD},
        {"rounds": 1, "replay": 0.5, "first": {"steps": 3}, "dpo": {"steps": 4}, "method": "preference/ipo"},
        {
            "answers": {
                "round-1": {"x?": {"aa": 0.1, "bbbb": 0.9, "c": 0.8}, "y?": {"dd": 0.2, "eee…": 7.0, "fff": 0.4}},
            }
        },
        """
        train preference/ipo on 'pairs': x?: p > q; z?: r > s; w?: t > u | policy=start reference=start | no rewards
            | steps=3
        collect round-1: x?; y? | 16 of policy=#1 | log_ratio of policy=#1 reference=start
        train preference/ipo on 'round 1': y?: fff > dd; x?: p > q | policy=#1 reference=#1 | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "rounds/dice",
        {"prompts": THREE, "pairs": OLD},
        {"rounds": 2, "prompts_per_round": 1, "tuned": True},
        {"answers": GRADED},
        """
        collect round-1: x? | 16 of policy=start | log_ratio of policy=start
        train preference/dpo on 'round 1': x?: b > a | policy=start reference=start | no rewards
        collect round-2: y? | 16 of policy=#1 | log_ratio of policy=#1 reference=start
        train preference/dpo on 'round 2': y?: i > j | policy=#1 reference=#1 | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "rounds/dice",
        {"prompts": THREE, "pairs": OLD},
        {"rounds": 1, "replay": 0.0, "at_least": 3, "tuned": True},
        {
            "answers": {
                "round-1": {
                    "x?": {"a": 0.1, "bbbb": 0.9, "cc": 0.8},  # where a token costs 0.26, cc is the best
                    "y?": {"d": 0.2, "e": 0.9, "f": 0.3},
                    "z?": {"g": 0.2, "h": 0.9, "i…": 0.3},
                }
            }
        },
        """
        collect round-1: x?; y?; z? | 16 of policy=start | log_ratio of policy=start
        train preference/dpo on 'round 1': x?: cc > a; y?: e > d | policy=start reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "rounds/quark",
        {"prompts": THREE},
        {"rounds": 2, "prompts_per_round": 1, "levels": 2, "tag": " [{quantile}]", "sft": {"steps": 4}},
        {"answers": {"round-1": GRADED["round-1"], "round-2": {"y? [2]": GRADED["round-2"]["y?"]}}},
        """
        collect round-1: x? | 4 of policy=start | rewards
        train quark on 'round 1': x? [2] -> b; x? [1] -> c; x? [1] -> a | policy=start reference=start | no rewards
            | steps=4
        collect round-2: y? [2] | 4 of policy=#1 | rewards
        train quark on 'round 2': y? [2] -> i; x? [2] -> b; y? [2] -> k; x? [1] -> c; x? [1] -> a; y? [1] -> j
            | policy=#1 reference=start | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "rounds/quark",
        {"prompts": prompts("x?", "y?", "x?")},
        {"rounds": 1},
        {"answers": {"round-1": {"x?": {"a": 0.1, "b": 0.9, "c": 0.5}, "y?": {"d": 0.2, "e": 0.4}}}},
        """
        collect round-1: x?; y? | 4 of policy=start | rewards
        train quark on 'round 1': x? (quality 5) -> b; x? (quality 4) -> c; y? (quality 3) -> e;
            y? (quality 2) -> d; x? (quality 1) -> a | policy=start reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "rounds/return_conditioned",
        {"prompts": THREE},
        {"rounds": 2, "prompts_per_round": 1, "good": " [+]", "bad": " [-]", "threshold": 0.7, "sft": {"steps": 4}},
        {"answers": {"round-1": GRADED["round-1"], "round-2": {"y? [+]": GRADED["round-2"]["y?"]}}},
        """
        collect round-1: x? | 4 of policy=start | rewards
        train imitation/sft on 'round 1': x? [+] -> b; x? [-] -> a; x? [-] -> c | base=start policy=start
            | no rewards | steps=4
        collect round-2: y? [+] | 4 of policy=#1 | rewards
        train imitation/sft on 'round 2': x? [+] -> b; y? [+] -> i; x? [-] -> a; x? [-] -> c; y? [-] -> j; y? [-] -> k
            | base=start policy=start | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "rounds/return_conditioned",
        {"prompts": prompts("x?", "y?", "x?")},
        {"rounds": 1},
        {"answers": {"round-1": {"x?": {"a": 0.5, "b": 0.9}, "y?": {"d": 0.2, "e": 1.0, "f": None}}}},
        """
        collect round-1: x?; y? | 4 of policy=start | rewards
        train imitation/sft on 'round 1': x? [GOOD] -> b; y? [GOOD] -> e; x? [BAD] -> a; y? [BAD] -> d
            | base=start policy=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "rounds/ilf",
        {"prompts": prompts("x?", "y?", "x?", feedback=["too short", "", "asked twice"])},
        {"rounds": 1, "critique": " {draft}: why?", "refine": " {draft}, {feedback}:", "sft": {"steps": 4}},
        {
            "answers": {
                "round-1-drafts": {"x?": ["a"], "y?": ["b"]},
                "round-1-feedback": {"y? b: why?": ["too long"]},
                "round-1": {
                    "x? a, too short:": {"aa": 0.3, "aaa": 0.6},
                    "y? b, too long:": {"c": 0.2, "d": 0.1},
                },
            }
        },
        """
        collect round-1-drafts: x?; y? | 1 of policy=start | no rewards
        collect round-1-feedback: y? b: why? | 1 of policy=start | no rewards
        collect round-1: x? a, too short:; y? b, too long: | 5 of policy=start | rewards
        train imitation/sft on 'round 1': x? -> aaa; y? -> c | policy=start | no rewards | steps=4
        return stage=1
        """,
    ),
    Scenario(
        "rounds/ilf",
        {"prompts": THREE},
        {"rounds": 2, "prompts_per_round": 1},
        {
            "samples": 3,
            "answers": {
                **{f"round-{n}-drafts": {q: [a]} for n, q, a in [(1, "x?", "a"), (2, "y?", "b")]},
                "round-1-feedback": {"x?\nAnswer: a\nWhat is wrong with this answer?": ["short"]},
                "round-1": {"x?\nAnswer: a\nFeedback: short\nWrite a better answer.": {"aa": 0.3, "aaa": 0.6}},
                "round-2-feedback": {"y?\nAnswer: b\nWhat is wrong with this answer?": ["long"]},
                "round-2": {"y?\nAnswer: b\nFeedback: long\nWrite a better answer.": {"c": 0.2, "d": 0.1}},
            },
        },
        """
        collect round-1-drafts: x? | 1 of policy=start | no rewards
        collect round-1-feedback: x? Answer: a What is wrong with this answer? | 1 of policy=start | no rewards
        collect round-1: x? Answer: a Feedback: short Write a better answer. | 3 of policy=start | rewards
        train imitation/sft on 'round 1': x? -> aaa | policy=start | no rewards
        collect round-2-drafts: y? | 1 of policy=#1 | no rewards
        collect round-2-feedback: y? Answer: b What is wrong with this answer? | 1 of policy=#1 | no rewards
        collect round-2: y? Answer: b Feedback: long Write a better answer. | 3 of policy=#1 | rewards
        train imitation/sft on 'round 2': y? -> c | policy=#1 | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "rounds/rise",
        {"prompts": prompts("x?", "x?", "v?", "y?", "w?", answer=["a", "a", "f", "d", "g"])},
        {
            "rounds": 2,
            "prompts_per_round": 2,
            "verified": 3,
            "request": "{question} {answer}?",
            "threshold": 0.4,
            "method": "online/grpo",
            "then": {"steps": 3},
        },
        {
            "answers": {
                "round-1": {"x?": {"a": 0.5, "b": 0.4, "c": 0.9}},
                "round-2": {"v?": {"f": 1.0}, "y?": {"d": None, "e": 0.1}},
            }
        },
        """
        collect round-1: x? | 3 of policy=start | rewards
        note round 1: 3 solutions to verify, 2 of them right
        train online/grpo on 'round 1': x?; x? a?; x? b?; x? c? | policy=start | rewards | steps=3
        collect round-2: v?; y? | 3 of policy=#1 | rewards
        note round 2: 2 solutions to verify, 1 of them right
        train online/grpo on 'round 2': v?; y?; v? f?; y? e? | policy=#1 | rewards | steps=3
        return stage=2
        """,
    ),
    Scenario(
        "rounds/rise",
        {"prompts": prompts("x?", "y?", truth=["a", "b"])},
        {"rounds": 1, "verified": 1, "column": "truth", "prompts_per_round": None},
        {"answers": {"round-1": {"x?": {"a": 0.6, "c": 1.0}, "y?": {"d": 0.5}}}},
        f"""
        collect round-1: x?; y? | 1 of policy=start | rewards
        note round 1: 2 solutions to verify, 1 of them right
        train online/ppo on 'round 1': x?; y?; {" ".join(REQUEST.format(question="x?", answer="a").split())};
            {" ".join(REQUEST.format(question="y?", answer="d").split())} | policy=start | rewards
        return stage=1
        """,
    ),
    Scenario(
        "rounds/rise",
        {"prompts": TWO},
        {"rounds": 1, "verified": 0, "prompts_per_round": 1},
        {},
        """
        note round 1: 0 solutions to verify, 0 of them right
        train online/ppo on 'round 1': x? | policy=start | rewards
        return stage=1
        """,
    ),
    Scenario(
        "rounds/self_rewarding",
        {"prompts": THREE},
        {
            "rounds": 2,
            "prompts_per_round": 1,
            "judge": "grade {answer} to {question}",
            "pattern": "([0-9])",
            "judgements": 2,
            "method": "preference/ipo",
            "dpo": {"steps": 4},
        },
        {
            "answers": {
                "round-1": {"x?": ["a", "b", "a", "c"]},
                "round-1-judged": {
                    "grade a to x?": ["3 or 1", "no"],
                    "grade b to x?": ["2", "4"],
                    "grade c to x?": ["-", "-"],
                },
                "round-2": {"y?": ["d", "e"]},
                "round-2-judged": {"grade d to y?": ["5"], "grade e to y?": ["1"]},
            }
        },
        """
        collect round-1: x? | 4 of policy=start | no rewards
        collect round-1-judged: grade a to x?; grade b to x?; grade a to x?; grade c to x? | 2 of policy=start
            | no rewards
        train preference/ipo on 'round 1': x?: b > a | policy=start reference=start | no rewards | steps=4
        collect round-2: y? | 4 of policy=#1 | no rewards
        collect round-2-judged: grade d to y?; grade e to y? | 2 of policy=#1 | no rewards
        train preference/ipo on 'round 2': y?: d > e | policy=#1 reference=#1 | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "rounds/self_rewarding",
        {"prompts": prompts(({"role": "user", "content": "x?"},))},
        {"rounds": 1, "judge": "{question} {answer}"},
        {
            "answers": {
                "round-1": {"chat: x?": ["a", "b"]},
                "round-1-judged": {"chat: x? a": ["Score: 3"], "chat: x? b": ["2", "score: 4"]},
            }
        },
        """
        collect round-1: chat: x? | 4 of policy=start | no rewards
        collect round-1-judged: chat: x? a; chat: x? b | 3 of policy=start | no rewards
        train preference/dpo on 'round 1': chat: x?: b > a | policy=start reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "rounds/self_rewarding",
        {"prompts": prompts("x?")},
        {"rounds": 1, "judge": "{question} {answer}", "accept": "better"},
        {
            "answers": {
                "round-1": {"x?": ["a", "b"]},
                "round-1-judged": {"x? a": ["Score: 3"], "x? b": ["2", "score: 4"]},
            },
            "held_out": {"before the rounds": 0.5, "after round 1": 0.2},
        },
        """
        evaluate before the rounds | policy=start
        collect round-1: x? | 4 of policy=start | no rewards
        collect round-1-judged: x? a; x? b | 3 of policy=start | no rewards
        train preference/dpo on 'round 1': x?: b > a | accepted=start policy=start reference=start | no rewards
        evaluate after round 1 | policy=#1
        note round 1 is taken back: 0.2 on held-out data is not above 0.5
        return stage=1
        """,
    ),
)

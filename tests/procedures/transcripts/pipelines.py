"""What the procedures do that run several stages, each with a method of its own."""

from __future__ import annotations

from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.records import THREE, TWO, Named, demonstrations, pairs, rankings
from tests.procedures.transcripts.scenario import Scenario

ANSWER = ({"role": "assistant", "content": "in"},)
SHOWN = demonstrations(("s?", "shown"))
CHOSEN = pairs(("p?", "good", "bad"), ("q?", "right", "wrong"), ("r?", "yes", "no"), ("s?", ANSWER, "out"))
FOUR = rankings(("p?", ["a", "b", "c", "d"], [0.0, 0.0, 1.0, 0.0]))
WORTH = {"a": 0.9, "b": 0.2, "c": 0.5, "d": 0.4, "e": 0.4, "f": 0.45, "g": 0.5, "h": 0.38}


def more_worth(one) -> float:
    """Which of two answers is better; a judge that favours what it reads first by a tenth."""
    lead = WORTH[one.text] - WORTH[one.prompt.columns["opponent"]] + 0.1
    return 0.5 + 0.5 * (lead > 1e-9) - 0.5 * (lead < -1e-9)


def said(text):
    return ({"role": "assistant", "content": text},)


QUALITY = {"good": 0.9, "fair": 0.5, "bad": 0.1, "unscored": None}
TRANSLATED = demonstrations(
    ("s?", "bad"), ("t?", ({"role": "assistant", "content": "good"},)), ("u?", "unscored"), ("v?", "fair")
)

REWARDS = (Named("right", 5.0), Named("clear", 0.5), Named("kind"))

SUM = prompts("1+1?", "2+2?")
SOLVED = {
    "1+1?": {"a": {"right": 1.0, "clear": 0.5}, "b": {"right": 1.0, "clear": 0.25}, "c": {"right": 0.5, "clear": 1.0}},
    "2+2?": {"d": {"right": 1.0, "clear": 1.0}, "e": {"right": 2.0, "clear": 1.0}, "f": {"right": 1.0, "clear": None}},
}

PIPELINES = (
    Scenario(  # an answer without one of the scores is not accepted
        "pipelines/deepseek_r1",
        {"demonstrations": SHOWN, "reasoning": SUM, "prompts": TWO, "text": demonstrations(("t", "once"))},
        {
            "reasoning_rewards": {"right": 1.0, "clear": 0.25},
            "accepted": {"right": 1.0, "clear": 0.5},
            "samples": 3,
            "keep": 1,
            "method": "online/rloo",
            "cold": {"steps": 2},
            "first": {"steps": 3},
            "sft": {"steps": 4},
            "last": {"steps": 5},
        },
        {"rewards": REWARDS, "answers": {"answers": SOLVED}},
        """
        train imitation/sft on 'demonstrations': s? -> shown | base=start policy=start | no rewards | steps=2
        train online/rloo on 'prompts': 1+1?; 2+2? | base=start policy=#1 reference=#1 | (1.0 right, 0.25 clear)
            | steps=3
        collect answers: 1+1?; 2+2? | 3 of policy=#2 | (1.0 right, 0.25 clear)
        note 2 of 6 answers are accepted
        train imitation/sft on 'accepted answers': 1+1? -> a; 2+2? -> d; t -> once
            | base=start policy=start reference=#1 | no rewards | steps=4
        train online/rloo on 'all prompts': 1+1?; 2+2?; x?; y? | base=start policy=#3 reference=#3 | rewards | steps=5
        return stage=4
        """,
    ),
    Scenario(
        "pipelines/deepseek_r1",
        {"demonstrations": SHOWN, "reasoning": SUM, "prompts": TWO},
        {"reasoning_rewards": {"right": 1.0}, "accepted": {"right": 1.0}},
        {"rewards": REWARDS, "answers": {"answers": SOLVED}},
        """
        train imitation/sft on 'demonstrations': s? -> shown | base=start policy=start | no rewards
        train online/grpo on 'prompts': 1+1?; 2+2? | base=start policy=#1 reference=#1 | (1.0 right,)
        collect answers: 1+1?; 2+2? | 4 of policy=#2 | (1.0 right,)
        note 5 of 6 answers are accepted
        train imitation/sft on 'accepted answers': 1+1? -> a; 1+1? -> b; 2+2? -> d; 2+2? -> e; 2+2? -> f
            | base=start policy=start reference=#1 | no rewards
        train online/grpo on 'all prompts': 1+1?; 2+2?; x?; y? | base=start policy=#3 reference=#3 | rewards
        return stage=4
        """,
    ),
    *(
        Scenario(
            "pipelines/deepseek_r1",
            {"demonstrations": SHOWN, "reasoning": SUM, "prompts": TWO},
            settings,
            {"rewards": REWARDS},
            f"ConfigError: procedure.{why}",
        )
        for settings, why in (
            (
                {"reasoning_rewards": {}, "accepted": {}},
                "reasoning_rewards: names no reward; rewards right, clear, kind",
            ),
            (
                {"reasoning_rewards": {"right": 1.0}, "accepted": {"clear": 1.0}},
                "accepted: 'clear' is no reward here; rewards right",
            ),
        )
    ),
    Scenario(
        "pipelines/deepseek_v2",
        {"reasoning": prompts("1+1?"), "prompts": TWO},
        {
            "reasoning_rewards": {"clear": 0.25, "right": 2.0},
            "method": "online/rloo",
            "first": {"steps": 2},
            "then": {"steps": 3},
        },
        {"rewards": REWARDS},
        """
        train online/rloo on 'prompts': 1+1? | policy=start reference=start | (0.25 clear, 2.0 right) | steps=2
        train online/rloo on 'prompts': x?; y? | policy=#1 reference=#1 | rewards | steps=3
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/deepseek_v2",
        {"reasoning": prompts("1+1?"), "prompts": TWO},
        {"reasoning_rewards": {"right": 1.0}},
        {"rewards": REWARDS},
        """
        train online/grpo on 'prompts': 1+1? | policy=start reference=start | (1.0 right,)
        train online/grpo on 'prompts': x?; y? | policy=#1 reference=#1 | rewards
        return stage=2
        """,
    ),
    *(
        Scenario(
            "pipelines/deepseek_v2",
            {"reasoning": prompts("1+1?"), "prompts": TWO},
            {"reasoning_rewards": weights},
            {"rewards": rewards},
            f"ConfigError: procedure.reasoning_rewards: {why}",
        )
        for weights, rewards, why in (
            ({}, REWARDS, "names no reward; rewards right, clear, kind"),
            ({}, (), "names no reward; rewards none"),
            ({"cleer": 1.0}, REWARDS, "'cleer' is no reward here (did you mean 'clear'?); rewards right, clear, kind"),
            ({"cleer": 1.0}, (), "'cleer' is no reward here; rewards none"),
        )
    ),
    Scenario(  # 0.6 of the three with a score, rounded up
        "pipelines/quality_feedback",
        {"demonstrations": TRANSLATED, "prompts": TWO},
        {"share": 0.6, "method": "online/grpo", "sft": {"steps": 2}, "then": {"steps": 3}},
        {"scores": lambda e: QUALITY[e.text]},
        """
        score quality: s? bad; t? good; u? unscored; v? fair | rewards
        note 2 of 4 demonstrations are kept
        train imitation/sft on 'kept': t? -> good; v? -> fair | policy=start | no rewards | steps=2
        evaluate after sft | policy=#1
        train online/grpo on 'prompts': x?; y? | policy=#1 reference=#1 | rewards | steps=3
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/quality_feedback",
        {"demonstrations": TRANSLATED, "prompts": TWO},
        {},
        {"scores": lambda e: QUALITY[e.text]},
        """
        score quality: s? bad; t? good; u? unscored; v? fair | rewards
        note 3 of 4 demonstrations are kept
        train imitation/sft on 'kept': s? -> bad; t? -> good; v? -> fair | policy=start | no rewards
        evaluate after sft | policy=#1
        train online/rloo on 'prompts': x?; y? | policy=#1 reference=#1 | rewards
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/instructgpt",
        {"demonstrations": SHOWN, "pairs": CHOSEN, "prompts": TWO},
        {"sft": {"steps": 2}, "reward": {"steps": 3}, "ppo": {"steps": 4}},
        {},
        """
        train imitation/sft on 'demonstrations': s? -> shown | policy=start | no rewards | steps=2
        train reward/bradley_terry on 'pairs': p?: good > bad; q?: right > wrong; r?: yes > no; s?: in > out
            | policy=#1 reference=#1 reward=#1 | no rewards | steps=3
        train online/ppo on 'prompts': x?; y? | critic=#2 policy=#1 reference=#1 reward=#2 | no rewards | steps=4
        return stage=3
        """,
    ),
    Scenario(  # as published: K answers, and PPO-ptx
        "pipelines/instructgpt",
        {"demonstrations": SHOWN, "rankings": FOUR, "prompts": TWO, "text": demonstrations(("t", "once"))},
        {"sft": {"steps": 2}, "reward": {"steps": 3}, "ppo": {"steps": 4, "settings": {"pretrain.weight": 0.5}}},
        {},
        """
        train imitation/sft on 'demonstrations': s? -> shown | policy=start | no rewards | steps=2
        train reward/all_pairs on 'rankings': p?: a > b > c > d | policy=#1 reference=#1 reward=#1 | no rewards
            | steps=3
        train online/ppo_ptx on 'prompts': x?; y?, pretrain: 'demonstrations': t -> once
            | critic=#2 policy=#1 reference=#1 reward=#2 | no rewards | steps=4 settings={pretrain.weight=0.5}
        return stage=3
        """,
    ),
    Scenario(
        "pipelines/instructgpt",
        {"demonstrations": SHOWN, "pairs": CHOSEN, "rankings": FOUR, "prompts": TWO},
        {},
        {},
        """
        ConfigError: data: instructgpt reads demonstrations, prompts, one of pairs and rankings, and maybe text
        """,
    ),
    Scenario(
        "pipelines/instructgpt",
        {"demonstrations": SHOWN, "prompts": TWO},
        {},
        {},
        """
        ConfigError: data: instructgpt reads demonstrations, prompts, one of pairs and rankings, and maybe text
        """,
    ),
    Scenario(  # scores 1, 3, 1 and 3: mean 2, deviation 1; then equal scores, whose unit is 1
        "pipelines/ziegler",
        {"rankings": FOUR, "prompts": TWO},
        {"normalise": 1, "samples": 4, "reward": {"steps": 2}, "ppo": {"steps": 3, "settings": {"passes": 2}}},
        {"answers": {"normalisation": {"x?": {"a": 1.0, "b": 3.0, "c": 1.0, "d": 3.0, "e": None}}}},
        """
        train reward/choice on 'rankings': p?: a > b > c > d | policy=start reference=start reward=start | no rewards
            | steps=2
        collect normalisation: x? | 4 of policy=start | row_score of policy=start reference=start reward=#1
        note scores of the policy's answers: mean 2, standard deviation 1; PPO sees them as 0 and 1
        train ziegler_ppo on 'prompts': x?; y? | policy=start reference=start reward=#1 | no rewards
            | steps=3 settings={standardised.mean=2 standardised.deviation=1 passes=2}
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/ziegler",
        {"rankings": FOUR, "prompts": TWO},
        {},
        {"answers": {"normalisation": {"x?": {"a": 0.5}, "y?": {"b": 0.5}}}},
        """
        train reward/choice on 'rankings': p?: a > b > c > d | policy=start reference=start reward=start | no rewards
        collect normalisation: x?; y? | 1 of policy=start | row_score of policy=start reference=start reward=#1
        note scores of the policy's answers: mean 0.5, standard deviation 0; PPO sees them as 0 and 1
        train ziegler_ppo on 'prompts': x?; y? | policy=start reference=start reward=#1 | no rewards
            | settings={standardised.mean=0.5 standardised.deviation=1}
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/distill",
        {"prompts": TWO},
        {"samples": 3, "keep": 2, "threshold": 0.5, "temperature": 0.5, "teacher": "wise", "sft": {"steps": 2}},
        {
            "answers": {"answers": {"x?": [("a", 0.5), ("b", 0.75), ("c", 1.0)], "y?": [("d", 0.25), ("e", 0.5)]}},
            "weights": {"wise": "old"},
        },
        """
        collect answers: x?; y? | 3 of wise=old at 0.5 | rewards
        train imitation/sft on 'answers of the teacher': x? -> c; x? -> b; y? -> e | policy=start wise=old | no
            rewards | steps=2
        return stage=1
        """,
    ),
    Scenario(
        "pipelines/distill",
        {"prompts": TWO},
        {},
        {"answers": {"answers": {"x?": [("a", None)], "y?": [("b", None)]}}, "weights": {"teacher": "old"}},
        """
        collect answers: x?; y? | 1 of teacher=old | no rewards
        train imitation/sft on 'answers of the teacher': x? -> a; y? -> b | policy=start teacher=old | no
            rewards
        return stage=1
        """,
    ),
    Scenario(
        "pipelines/distill",
        {"prompts": TWO},
        {"samples": 3, "keep": 2, "temperature": 0.25, "teacher": "wise", "in_text": True, "sft": {"steps": 3}},
        {"speaker": lambda role, asked: (f"{role} of {asked}", "two", "three"), "weights": {"wise": "old"}},
        """
        ask answers at 0.25: x?; y? | 3 of wise=old
        train imitation/sft on 'answers of the teacher': x? -> wise of x?; x? -> two; y? -> wise of y?; y? ->
            two | policy=start wise=old | no rewards | steps=3
        return stage=1
        """,
    ),
    Scenario(
        "pipelines/qwen2",
        {"demonstrations": SHOWN, "pairs": CHOSEN, "prompts": TWO},
        {
            "rule": "ties",
            "weight": 0.5,
            "density": 0.25,
            "offline": "preference/ipo",
            "online": "online/grpo",
            "sft": {"steps": 2},
            "first": {"steps": 3},
            "then": {"steps": 4, "settings": {"passes": 2}},
        },
        {},
        """
        train imitation/sft on 'demonstrations': s? -> shown | base=start policy=start | no rewards | steps=2
        train preference/ipo on 'pairs': p?: good > bad; q?: right > wrong; r?: yes > no; s?: in > out |
            base=start policy=#1 reference=#1 sft=#1 | no rewards | steps=3
        train online/grpo on 'prompts': x?; y? | base=start policy=#2 reference=#2 sft=#1 | rewards | steps=4
            settings={step_merging.rule=ties step_merging.weight=0.5 step_merging.density=0.25 passes=2}
        return stage=3
        """,
    ),
    Scenario(
        "pipelines/qwen2",
        {"demonstrations": SHOWN, "pairs": CHOSEN, "prompts": TWO},
        {},
        {},
        """
        train imitation/sft on 'demonstrations': s? -> shown | base=start policy=start | no rewards
        train preference/dpo on 'pairs': p?: good > bad; q?: right > wrong; r?: yes > no; s?: in > out |
            base=start policy=#1 reference=#1 sft=#1 | no rewards
        train online/online_dpo on 'prompts': x?; y? | base=start policy=#2 reference=#2 sft=#1 | rewards |
            settings={step_merging.rule=dare step_merging.weight=1e-06 step_merging.density=0.01}
        return stage=3
        """,
    ),
    Scenario(
        "pipelines/warm_start",
        {"demonstrations": SHOWN, "prompts": TWO},
        {"method": "online/grpo", "sft": {"steps": 2}, "then": {"steps": 3}},
        {},
        """
        train imitation/sft on 'demonstrations': s? -> shown | policy=start | no rewards | steps=2
        evaluate after sft | policy=#1
        train online/grpo on 'prompts': x?; y? | policy=#1 reference=#1 | rewards | steps=3
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/warm_start",
        {"demonstrations": SHOWN, "pairs": CHOSEN},
        {"method": "preference/dpo"},
        {},
        """
        train imitation/sft on 'demonstrations': s? -> shown | policy=start | no rewards
        evaluate after sft | policy=#1
        train preference/dpo on 'pairs': p?: good > bad; q?: right > wrong; r?: yes > no; s?: in > out
            | policy=#1 reference=#1 | rewards
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/warm_start",
        {"demonstrations": SHOWN, "pairs": CHOSEN, "prompts": TWO},
        {"method": "preference/dpo"},
        {},
        """
        ConfigError: data: warm_start reads demonstrations and one of prompts, pairs, ratings
        """,
    ),
    Scenario(
        "pipelines/rto",
        {"pairs": CHOSEN, "prompts": TWO},
        {"dpo": {"steps": 2}, "ppo": {"steps": 3}},
        {},
        """
        train preference/dpo on 'pairs': p?: good > bad; q?: right > wrong; r?: yes > no; s?: in > out
            | policy=start reference=start | no rewards | steps=2
        train online/rto on 'prompts': x?; y? | dpo=#1 policy=start reference=start | rewards | steps=3
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/hard_prompts",
        {"prompts": prompts("x?", "y?", "z?", "u?", "v?", "w?", domain=["m", "c", "c", "m", "c", "c"])},
        {"share": 0.4, "method": "online/ppo", "first": {"steps": 2}, "then": {"steps": 3}},
        {
            "answers": {
                "before": {  # means 2 and 3 in m; 0.3, 0.2 and 0.9 in c, where one is not scored
                    "x?": {"a": 1.0, "b": 3.0},
                    "y?": {"c": 0.3, "d": None},
                    "z?": {"e": 0.4, "f": 0.0},
                    "u?": {"g": 3.0, "h": 3.0},
                    "v?": {"i": 0.9},
                    "w?": {"j": None},
                }
            }
        },
        """
        collect before: x?; y?; z?; u?; v?; w? | 4 of policy=start | rewards
        note 3 of 6 prompts come first
        train online/ppo on 'hardest prompts': x?; y?; z? | policy=start | rewards | steps=2
        train online/ppo on 'prompts': x?; y?; z?; u?; v?; w? | policy=#1 | rewards | steps=3
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/hard_prompts",
        {"prompts": prompts("x?", "y?", "z?", "u?", subject=["a", "b", "b", "b"])},
        {"domain": "subject"},
        {"answers": {"before": {"x?": {"a": 9.0}, "y?": {"b": 0.2}, "z?": {"c": 0.1}, "u?": {"d": 0.3}}}},
        """
        collect before: x?; y?; z?; u? | 4 of policy=start | rewards
        note 2 of 4 prompts come first
        train online/grpo on 'hardest prompts': x?; z? | policy=start | rewards
        train online/grpo on 'prompts': x?; y?; z?; u? | policy=#1 | rewards
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/chain_of_hindsight",
        {"pairs": CHOSEN},
        {"good": " good:", "bad": " bad:", "sft": {"steps": 4}},
        {"seeds": {("format", 100 + i): 4 + i for i in range(4)}},
        """
        train imitation/sft on 'pairs in hindsight': p? good: -> good; q? bad: -> wrong; r? bad: -> no;
            r? bad:no good: -> yes; s? good: -> in; s? good:in bad: -> out | policy=start | no rewards | steps=4
        return stage=1
        """,
    ),
    Scenario(
        "pipelines/chain_of_hindsight",
        {"pairs": pairs(("p?", "good", "bad"))},
        {"formats": ("good_bad", "good")},
        {"seeds": {("format", 100): 2}},
        """
        train imitation/sft on 'pairs in hindsight': p? A helpful answer: -> good;
            p? A helpful answer: good An unhelpful answer: -> bad | policy=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "pipelines/chain_of_hindsight",
        {"pairs": CHOSEN},
        {"formats": ("good", "ugly")},
        {},
        """
        ConfigError: procedure.formats: unknown format 'ugly'; formats are good, bad, bad_good, good_bad
        """,
    ),
    Scenario(
        "pipelines/almupqa",
        {"rankings": rankings(("p?", ["a", "b", "c"], [1.0, 5.0, 3.0]), ("q?", ["d", "e"], [2.0, 2.0]))},
        {"weights": (0.5, 1.0, 4.0), "method": "preference/dpo_list", "mpra": {"steps": 4}},
        {"measures": {"content": [-0.2, -1.5, -0.1, -1.0, -0.5]}},
        """
        measure content: p?: a > b > c; q?: d > e | mean_logp of policy=start
        train preference/dpo_list on 'rankings, ranked': p?: c > a > b; q?: e > d | policy=start | no rewards
            | steps=4
        return stage=1
        """,
    ),
    Scenario(
        "pipelines/almupqa",
        {"rankings": rankings(("p?", ["a", "b", "c"], [1.0, 5.0, 3.0]))},
        {},
        {"measures": {"content": [-0.2, -8.0, -0.1]}},
        """
        measure content: p?: a > b > c | mean_logp of policy=start
        train preference/mpra on 'rankings, ranked': p?: b > c > a | policy=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "pipelines/almupqa",
        {
            "rankings": rankings(
                (({"role": "user", "content": "sort a list"},), [said("a"), said("b")], [1.0, 5.0]),
                ("sort a dict", ["c", "d"], [3.0, 2.0]),
                ("rain", ["e", "f"], [1, 0]),
            )
        },
        {"retrieved": 1, "weights": (1.0, 0.0, 0.0)},
        {"measures": {"content": [-1.0] * 6}},
        """
        measure content: chat: sort a list: a > b; sort a dict: c > d; rain: e > f | mean_logp of
            policy=start
        train preference/mpra on 'rankings, ranked': chat: sort a list: b > a; sort a list b sort a
            dict: c > d; rain: e > f | policy=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "pipelines/bsad",
        {"prompts": TWO},
        {"votes": 2, "most": 2, "delta": 0.5, "sft": {"steps": 4}},
        {"answers": {"arms": {"x?": ["b", "a", "c", "a"], "y?": ["d", "e"]}}, "scores": more_worth},
        """
        collect arms: x?; y? | 4 of policy=start | no rewards
        score duels-1: x? b against a; x? b against a; x? a against b; x? a against b; x? b against c;
            x? b against c; x? c against b; x? c against b; x? a against c; x? a against c; x? c against a;
            x? c against a; y? d against e; y? d against e; y? e against d; y? e against d | rewards
        score duels-2: x? b against a; x? b against a; x? a against b; x? a against b; x? b against c;
            x? b against c; x? c against b; x? c against b; x? a against c; x? a against c; x? c against a;
            x? c against a; y? d against e; y? d against e; y? e against d; y? e against d | rewards
        train imitation/sft on 'winners': x? -> a; y? -> d | policy=start | no rewards | steps=4
        return stage=1
        """,
    ),
    Scenario(
        "pipelines/bsad",
        {"prompts": prompts("x?")},
        {"most": 30, "delta": 0.9},
        {"answers": {"arms": {"x?": ["b", "a"]}}, "scores": more_worth},
        """
        collect arms: x? | 4 of policy=start | no rewards
        score duels-1: x? b against a; x? a against b | rewards
        score duels-2: x? b against a; x? a against b | rewards
        score duels-3: x? b against a; x? a against b | rewards
        score duels-4: x? b against a; x? a against b | rewards
        score duels-5: x? b against a; x? a against b | rewards
        score duels-6: x? b against a; x? a against b | rewards
        score duels-7: x? b against a; x? a against b | rewards
        score duels-8: x? b against a; x? a against b | rewards
        score duels-9: x? b against a; x? a against b | rewards
        score duels-10: x? b against a; x? a against b | rewards
        score duels-11: x? b against a; x? a against b | rewards
        score duels-12: x? b against a; x? a against b | rewards
        score duels-13: x? b against a; x? a against b | rewards
        score duels-14: x? b against a; x? a against b | rewards
        train imitation/sft on 'winners': x? -> a | policy=start | no rewards
        return stage=1
        """,
    ),
    Scenario(  # only the judge's favour tells f from g and f from h; g beats h
        "pipelines/bsad",
        {"prompts": prompts("x?")},
        {"most": 1},
        {"answers": {"arms": {"x?": ["f", "g", "h"]}}, "scores": more_worth},
        """
        collect arms: x? | 4 of policy=start | no rewards
        score duels-1: x? f against g; x? g against f; x? f against h; x? h against f; x? g against h;
            x? h against g | rewards
        train imitation/sft on 'winners': x? -> g | policy=start | no rewards
        return stage=1
        """,
    ),
    Scenario(
        "pipelines/cool",
        {"prompts": THREE, "pairs": pairs(("w?", "good", "bad"))},
        {
            "rounds": 2,
            "patches": 2,
            "prompts_per_round": 1,
            "reward_method": "reward/centred",
            "method": "online/grpo",
            "reward": {"steps": 1},
            "fast": {"steps": 2},
            "then": {"steps": 3},
        },
        {
            "answers": {
                "round-1": {"x?": {"a": 0.1, "b": 0.9}},
                "round-1-fast-1": {"x?": {"c": 0.2, "d": 0.8}},
                "round-1-fast-2": {"x?": {"e": 0.2, "f": 0.8}},
                "round-2": {"y?": {"g": 0.4, "h": 0.2}},
                "round-2-fast-1": {"y?": {"i": 0.2, "j": 0.8}},
                "round-2-fast-2": {"y?": {"k": 0.2, "l": 0.8}},
            },
            "scores": lambda e: {"c": 2.0, "f": 1.0, "k": 1.0}.get(e.text, 0.5),
        },
        """
        collect round-1: x? | 4 of policy=start | rewards
        train reward/centred on 'comparisons of 1 rounds': w?: good > bad; x?: b > a | policy=start
            reference=start reward=start | no rewards | steps=1
        train online/grpo on 'prompts': x?; y?; z? | critic=#1 policy=start reference=start
            reward=#1 | no rewards | steps=3
        collect round-1-fast-1: x? | 4 of policy=#2 | rewards
        score round-1-fast-1-scores: x? c; x? d | row_score
        note round 1: the reward model is exploited at 1 of 1 prompts
        train reward/centred on 'patch 1 of round 1': x?: d > c | critic=#1 policy=#2
            reference=start reward=#1 | no rewards | steps=2
        train online/grpo on 'prompts': x?; y?; z? | critic=#1 policy=#2 reference=start reward=#3 |
            no rewards | steps=3
        collect round-1-fast-2: x? | 4 of policy=#4 | rewards
        score round-1-fast-2-scores: x? e; x? f | row_score
        note round 1: the reward model is exploited at 0 of 1 prompts
        collect round-2: y? | 4 of policy=#4 | rewards
        train reward/centred on 'comparisons of 2 rounds': w?: good > bad; x?: b > a; x?: d > c; y?:
            g > h | critic=#1 policy=#4 reference=start reward=start | no rewards | steps=1
        train online/grpo on 'prompts': x?; y?; z? | critic=#5 policy=#4 reference=start reward=#5 |
            no rewards | steps=3
        collect round-2-fast-1: y? | 4 of policy=#6 | rewards
        score round-2-fast-1-scores: y? i; y? j | row_score
        note round 2: the reward model is exploited at 1 of 1 prompts
        train reward/centred on 'patch 1 of round 2': y?: j > i | critic=#5 policy=#6
            reference=start reward=#5 | no rewards | steps=2
        train online/grpo on 'prompts': x?; y?; z? | critic=#5 policy=#6 reference=start reward=#7 |
            no rewards | steps=3
        collect round-2-fast-2: y? | 4 of policy=#8 | rewards
        score round-2-fast-2-scores: y? k; y? l | row_score
        note round 2: the reward model is exploited at 1 of 1 prompts
        train reward/centred on 'patch 2 of round 2': y?: l > k | critic=#5 policy=#8
            reference=start reward=#7 | no rewards | steps=2
        return stage=8
        """,
    ),
    Scenario(
        "pipelines/cool",
        {"prompts": prompts("x?")},
        {"rounds": 1},
        {
            "answers": {"round-1": {"x?": {"a": 0.1, "b": 0.9}}, "round-1-fast-1": {"x?": {"c": 0.2, "d": 0.8}}},
            "scores": lambda e: float(e.text == "c"),
        },
        """
        collect round-1: x? | 4 of policy=start | rewards
        train reward/cool on 'comparisons of 1 rounds': x?: b > a | policy=start reference=start
            reward=start | no rewards
        train online/ppo on 'prompts': x? | critic=#1 policy=start reference=start reward=#1 | no
            rewards
        collect round-1-fast-1: x? | 4 of policy=#2 | rewards
        score round-1-fast-1-scores: x? c; x? d | row_score
        note round 1: the reward model is exploited at 1 of 1 prompts
        train reward/cool on 'patch 1 of round 1': x?: d > c | critic=#1 policy=#2 reference=start
            reward=#1 | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/llama3_rounds",
        {"prompts": THREE, "demonstrations": SHOWN},
        {
            "rounds": 2,
            "prompts_per_round": 1,
            "candidates": 3,
            "rates": (1.0, 0.5),
            "reward": {"steps": 1},
            "sft": {"steps": 2},
            "dpo": {"learning_rate": 0.2},
        },
        {
            "answers": {
                "round-1-compared": {"x?": {"a": 0.1, "b": 0.9}},
                "round-1-candidates": {"x?": {"c": 2.0, "d": 3.0, "e": -1.0}},
                "round-2-compared": {"y?": {"f": 0.4, "g": 0.2}},
                "round-2-candidates": {"y?": {"h": 2.0, "i": 1.0, "j": 0.0}},
            }
        },
        """
        collect round-1-compared: x? | 2 of policy=start | rewards
        train reward/bradley_terry on 'comparisons of 1 rounds': x?: b > a
            | policy=start pretrained=start reward=start | no rewards | steps=1
        collect round-1-candidates: x? | 3 of policy=start | row_score of policy=start pretrained=start reward=#1
        train imitation/sft on 'round 1': x? -> d; s? -> shown | policy=start pretrained=start reward=#1
            | no rewards | steps=2
        train llama3_dpo on 'the latest comparisons of round 1': x?: b > a
            | policy=#2 pretrained=start reference=#2 reward=#1 | no rewards | learning_rate=0.2
        train llama3_dpo on 'the latest comparisons of round 1': x?: b > a
            | average=#3 policy=#2 pretrained=start reference=#2 reward=#1 | no rewards | learning_rate=0.1
        collect round-2-compared: y? | 2 of policy=(#3 + 0.5 to #4) | rewards
        train reward/bradley_terry on 'comparisons of 2 rounds': x?: b > a; y?: f > g
            | average=(#3 + 0.5 to #4) policy=(#3 + 0.5 to #4) pretrained=start reference=#2 reward=start
            | no rewards | steps=1
        collect round-2-candidates: y? | 3 of policy=(#3 + 0.5 to #4)
            | row_score of average=(#3 + 0.5 to #4) policy=(#3 + 0.5 to #4) pretrained=start reference=#2 reward=#5
        train imitation/sft on 'round 2': y? -> h; s? -> shown
            | average=(#3 + 0.5 to #4) policy=(#3 + 0.5 to #4) pretrained=start reference=#2 reward=#5 | no rewards
            | steps=2
        train llama3_dpo on 'the latest comparisons of round 2': y?: f > g
            | average=(#3 + 0.5 to #4) policy=#6 pretrained=start reference=#6 reward=#5 | no rewards
            | learning_rate=0.2
        train llama3_dpo on 'the latest comparisons of round 2': y?: f > g
            | average=#7 policy=#6 pretrained=start reference=#6 reward=#5 | no rewards | learning_rate=0.1
        return stage=8
        """,
    ),
    Scenario(
        "pipelines/llama3_rounds",
        {"prompts": prompts("x?")},
        {"rounds": 2, "latest": 2},
        {
            "answers": {
                "round-1-compared": {"x?": {"a": 0.1, "b": 0.9}},
                "round-1-candidates": {"x?": {"c": 2.0, "d": 3.0}},
                "round-2-compared": {"x?": {"f": 0.4, "g": 0.2}},
                "round-2-candidates": {"x?": {"h": 2.0, "i": 1.0}},
            }
        },
        """
        collect round-1-compared: x? | 2 of policy=start | rewards
        train reward/bradley_terry on 'comparisons of 1 rounds': x?: b > a
            | policy=start pretrained=start reward=start | no rewards
        collect round-1-candidates: x? | 10 of policy=start | row_score of policy=start pretrained=start reward=#1
        train imitation/sft on 'round 1': x? -> d | policy=start pretrained=start reward=#1 | no rewards
        train llama3_dpo on 'the latest comparisons of round 1': x?: b > a
            | policy=#2 pretrained=start reference=#2 reward=#1 | no rewards | learning_rate=1
        collect round-2-compared: x? | 2 of policy=#3 | rewards
        train reward/bradley_terry on 'comparisons of 2 rounds': x?: b > a; x?: f > g
            | average=#3 policy=#3 pretrained=start reference=#2 reward=start | no rewards
        collect round-2-candidates: x? | 10 of policy=#3
            | row_score of average=#3 policy=#3 pretrained=start reference=#2 reward=#4
        train imitation/sft on 'round 2': x? -> h | average=#3 policy=#3 pretrained=start reference=#2 reward=#4
            | no rewards
        train llama3_dpo on 'the latest comparisons of round 2': x?: b > a; x?: f > g
            | average=#3 policy=#5 pretrained=start reference=#5 reward=#4 | no rewards | learning_rate=1
        return stage=6
        """,
    ),
    Scenario(  # edited > chosen > rejected; `good` is left as it is, and there is nothing to edit in the second round
        "pipelines/llama3_rounds",
        {"prompts": prompts("x?", ({"role": "user", "content": "y?"},))},
        {"rounds": 2, "latest": 2, "candidates": 2, "editor": "critic", "edit": "{prompt} {answer}!"},
        {
            "answers": {
                "round-1-compared": {"x?": {"a": 0.1, "b": 0.9}, "chat: y?": {"good": 0.9, "c": 0.1}},
                "round-1-candidates": {"x?": {"d": 2.0, "e": 3.0}, "chat: y?": {}},
                "round-2-compared": {"x?": {"f": 0.4, "g": 0.4}, "chat: y?": {}},
                "round-2-candidates": {"x?": {"h": 2.0, "i": 1.0}, "chat: y?": {}},
            },
            "speaker": lambda _, text: {"x? b!": "better", "y? good!": "good"}[text],
        },
        """
        collect round-1-compared: x?; chat: y? | 2 of policy=start | rewards
        ask round-1-edited: x? b!; y? good! | 1 of critic=given
        train reward/bradley_terry on 'comparisons of 1 rounds': x?: b > a; chat: y?: good > c; x?: better > b
            | policy=start pretrained=start reward=start | no rewards
        collect round-1-candidates: x?; chat: y? | 2 of policy=start
            | row_score of policy=start pretrained=start reward=#1
        train imitation/sft on 'round 1': x? -> e | policy=start pretrained=start reward=#1 | no rewards
        train llama3_dpo on 'the latest comparisons of round 1': x?: b > a; chat: y?: good > c; x?: better > b
            | policy=#2 pretrained=start reference=#2 reward=#1 | no rewards | learning_rate=1
        collect round-2-compared: x?; chat: y? | 2 of policy=#3 | rewards
        train reward/bradley_terry on 'comparisons of 2 rounds': x?: b > a; chat: y?: good > c; x?: better > b
            | average=#3 policy=#3 pretrained=start reference=#2 reward=start | no rewards
        collect round-2-candidates: x?; chat: y? | 2 of policy=#3
            | row_score of average=#3 policy=#3 pretrained=start reference=#2 reward=#4
        train imitation/sft on 'round 2': x? -> h | average=#3 policy=#3 pretrained=start reference=#2 reward=#4
            | no rewards
        train llama3_dpo on 'the latest comparisons of round 2': x?: b > a; chat: y?: good > c; x?: better > b
            | average=#3 policy=#5 pretrained=start reference=#5 reward=#4 | no rewards | learning_rate=1
        return stage=6
        """,
    ),
    Scenario(
        "pipelines/math_shepherd",
        {"prompts": TWO},
        {"solutions": 2, "completions": 3, "candidates": 5, "by": "mean", "reward": {"steps": 2}, "sft": {"steps": 4}},
        {
            "answers": {
                "solutions": {"x?": [("a\nb", 1.0), ("c\nd\ne", 0.0)], "y?": [("f", 0.5), ("g", None)]},
                "completions": {
                    "x?a\n": [("h", 0.0), ("i", 1.0)],
                    "x?c\n": [("j", 0.0), ("k", -1.0)],
                    "x?c\nd\n": [("l", None), ("m", 1.0)],
                },
                "candidates": {"x?": [("n\no", 1.0), ("p", 0.0)], "y?": [("\n", 1.0), ("q", 0.0), ("r", 1.0)]},
            },
            "measures": {"scores of steps": [0.2, 0.7, 0.9, 0.1]},
        },
        """
        collect solutions: x?; y? | 2 of policy=start | rewards
        collect completions: x?a ; x?c ; x?c d | 3 of policy=start | rewards
        train reward/process on 'steps': x? -> a 0.5 / b 1; x? -> c 0 / d 1 / e 0; y? -> f 1
            | policy=start | no rewards | steps=2
        collect candidates: x?; y? | 5 of policy=start | rewards
        measure scores of steps: x? -> n 0 / o 0; x? -> p 0; y? -> q 0; y? -> r 0
            | mean_step of policy=start reward=#1
        train imitation/sft on 'chosen by steps': x? -> p; y? -> q | policy=start reward=#1 | no rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/math_shepherd",
        {"prompts": prompts("x?")},
        {"hard": True, "accepted": 0.5},
        {
            "answers": {
                "solutions": {"x?": [("a\nb", 0.5), ("c", 1.0)]},
                "completions": {"x?a\n": [("h", 0.5), ("i", 0.6), ("j", 0.0)]},
                "candidates": {"x?": ["k"]},
            },
            "measures": {"scores of steps": [0.2]},
        },
        """
        collect solutions: x? | 4 of policy=start | rewards
        collect completions: x?a | 8 of policy=start | rewards
        train reward/process on 'steps': x? -> a 1 / b 0; x? -> c 1 | policy=start | no rewards
        collect candidates: x? | 8 of policy=start | rewards
        measure scores of steps: x? -> k 0 | least_step of policy=start reward=#1
        train imitation/sft on 'chosen by steps': x? -> k | policy=start reward=#1 | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "pipelines/math_shepherd",
        {"prompts": prompts("x?")},
        {},
        {
            "answers": {"solutions": {"x?": [("a", 0.5)]}, "candidates": {"x?": ["k"]}},
            "measures": {"scores of steps": [0.2]},
        },
        """
        collect solutions: x? | 4 of policy=start | rewards
        train reward/process on 'steps': x? -> a 1 | policy=start | no rewards
        collect candidates: x? | 8 of policy=start | rewards
        measure scores of steps: x? -> k 0 | least_step of policy=start reward=#1
        train imitation/sft on 'chosen by steps': x? -> k | policy=start reward=#1 | no rewards
        return stage=2
        """,
    ),
)

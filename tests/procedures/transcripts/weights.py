"""What the procedures do that average models in their weights."""

from __future__ import annotations

from tests.procedures.transcripts.records import TWO, Named, prompts
from tests.procedures.transcripts.scenario import Scenario

ANSWERED = {"x?": [("a", 1.0)], "y?": [("b", None)]}

THREE = (Named("a", 2.0), Named("b"), Named("clear"))
SOUP = {"x?": {"s": {"a": 1.0, "b": 0.5}}, "y?": {"t": {"a": 0.0, "b": None}}}

WEIGHTS = (
    Scenario(
        "weights/personalized_soups",
        {"prompts": prompts("x?", "y?", "x?")},
        {
            "weights": {"a": 3.0, "b": 1.0},
            "instructions": {"a": "A! ", "b": "B! "},
            "front": ({"b": 2.0}, {"a": 1.0, "b": 0.0}),
            "method": "online/grpo",
            "measured": 1,
            "policy": {"steps": 4},
        },
        {
            "rewards": THREE,
            "samples": 2,
            "answers": {
                "soup-0": {"B! x?": {"s": {"a": 0.25, "b": 1.0}}},
                "soup-1": {"A! x?": {"s": {"a": 1.0, "b": None, "clear": 9.0}}},
                "soup-2": {"A! B! x?": {"s": {"a": 1.0, "b": 0.5}, "t": {"a": 0.0, "b": 0.5}}},
            },
        },
        """
        train online/grpo on 'prompts for a': A! x?; A! y? | policy=start start=start
            | (1.0 a, 0.0 b, 0.0 clear) | steps=4
        train online/grpo on 'prompts for b': B! x?; B! y? | for_a=#1 policy=start start=start
            | (0.0 a, 1.0 b, 0.0 clear) | steps=4
        collect soup-0: B! x? | 2 of policy=linear(#1, #2 weights=[0 1]) | rewards
        collect soup-1: A! x? | 2 of policy=linear(#1, #2 weights=[1 0]) | rewards
        collect soup-2: A! B! x? | 2 of policy=linear(#1, #2 weights=[0.75 0.25]) | rewards
        return stage=2 soup-0/a=0.25 soup-0/b=1 soup-1/a=1 soup-1/b=0 soup-2/a=0.5 soup-2/b=0.5
        """,
    ),
    Scenario(
        "weights/personalized_soups",
        {"prompts": TWO},
        {"weights": {"a": 1.0}},
        {"rewards": THREE, "answers": {"soup-0": SOUP}},
        """
        train online/rloo on 'prompts for a': x?; y? | policy=start start=start | (1.0 a, 0.0 b, 0.0 clear)
        collect soup-0: x?; y? | 1 of policy=linear(#1 weights=[1]) | rewards
        return stage=1 soup-0/a=0.5
        """,
    ),
    *(
        Scenario(
            "weights/personalized_soups",
            {"prompts": TWO},
            settings,
            {"rewards": THREE},
            f"ConfigError: personalized_soups: {why}",
        )
        for settings, why in (
            (
                {"weights": {"a": 1.0, "cleer": 1.0}},
                "weights name 'cleer', which is no reward of the run (did you mean 'clear'?); rewards a, b, clear",
            ),
            ({"weights": {}}, "weights {} must be 0 or more, and one of them above 0"),
            (
                {"weights": {"a": 1.0}, "front": ({"b": 1.0},)},
                "'b' has no policy; add it to weights, with 0 if need be",
            ),
            (
                {"weights": {"a": 1.0}, "instructions": {"clear": "C!"}},
                "'clear' has no policy; add it to weights, with 0 if need be",
            ),
            ({"weights": {"a": 0.0}}, "weights {'a': 0.0} must be 0 or more, and one of them above 0"),
            (
                {"weights": {"a": 1.0, "b": 1.0}, "front": ({"a": 2.0, "b": -1.0},)},
                "weights {'a': 2.0, 'b': -1.0} must be 0 or more, and one of them above 0",
            ),
        )
    ),
    Scenario(
        "weights/warp",
        {"prompts": TWO},
        {
            "rounds": 2,
            "members": 2,
            "mu": 0.25,
            "eta": 0.5,
            "front": (0.75, 0.125),
            "last": 0.75,
            "method": "online/reinforce",
            "policy": {"steps": 4, "settings": {"decay": 0.5}},
        },
        {"answers": {"front-0.125": ANSWERED, "front-0.75": ANSWERED}},
        """
        train online/reinforce on 'prompts': x?; y? | first=start policy=start start=start | rewards | steps=4
            settings={moving_reference=0.25 decay=0.5}
        train online/reinforce on 'prompts': x?; y? | first=start member_0=#1 policy=start start=start | rewards
            | steps=4 settings={moving_reference=0.25 decay=0.5}
        train online/reinforce on 'prompts': x?; y? | first=start member_0=#1 member_1=#2 merged=slerp(#1, #2
            from start) policy=(start + 0.5 to slerp(#1, #2 from start)) start=(start + 0.5 to slerp(#1, #2 from
            start)) | rewards | steps=4 settings={moving_reference=0.25 decay=0.5}
        train online/reinforce on 'prompts': x?; y? | first=start member_0=#3 member_1=#2 merged=slerp(#1, #2
            from start) policy=(start + 0.5 to slerp(#1, #2 from start)) start=(start + 0.5 to slerp(#1, #2 from
            start)) | rewards | steps=4 settings={moving_reference=0.25 decay=0.5}
        collect front-0.125: x?; y? | 1 of policy=linear(slerp(#3, #4 from (start + 0.5 to slerp(#1, #2 from
            start))) from start share=0.125) | rewards
        collect front-0.75: x?; y? | 1 of policy=linear(slerp(#3, #4 from (start + 0.5 to slerp(#1, #2 from
            start))) from start share=0.75) | rewards
        return stage=4 front/0.125/reward=0.5 front/0.75/reward=0.5
        """,
    ),
    Scenario(
        "weights/warp",
        {"prompts": TWO},
        {"rounds": 1, "members": 1, "rule": "linear", "measured": 1},
        {"answers": {"front-1": ANSWERED}},
        """
        train online/rloo on 'prompts': x?; y? | first=start policy=start start=start | rewards |
            settings={moving_reference=0.01}
        collect front-1: x? | 1 of policy=linear(linear(#1 from start) from start share=1) | rewards
        return stage=1 front/1/reward=1
        """,
    ),
    Scenario(
        "weights/hma",
        {"prompts": TWO},
        {"share": 0.25, "blocks": 2, "floor": 0.5, "sweeps": 2, "policy": {"steps": 4}},
        {
            "answers": {
                f"try-{n}": {"x?": [("a", x)], "y?": [("b", 0.0)]}
                for n, x in enumerate((0.25, 0.5, 0.5, 0.25, 1.0, 0.5, 1.5, 0.0, 1.25))
            }
            | {"chosen": ANSWERED},
            "samples": 2,
        },
        """
        train online/rloo on 'prompts': x?; y? | before=start policy=start | rewards | steps=4
        collect try-0: x?; y? | 1 of policy=linear(start, #1 blocks=[[0.25 0.75] [0.25 0.75]]) at 0 | rewards
        collect try-1: x?; y? | 1 of policy=linear(start, #1 blocks=[[0.289986 0.710014] [0.210014 0.789986]])
            at 0 | rewards
        collect try-2: x?; y? | 1 of policy=linear(start, #1 blocks=[[0.25 0.75] [0.25 0.75]]) at 0 | rewards
        collect try-3: x?; y? | 1 of policy=linear(start, #1 blocks=[[0.25 0.75] [0.25 0.75]]) at 0 | rewards
        collect try-4: x?; y? | 1 of policy=linear(start, #1 blocks=[[0.345199 0.654801] [0.154801 0.845199]])
            at 0 | rewards
        collect try-5: x?; y? | 1 of policy=linear(start, #1 blocks=[[0.350562 0.649438] [0.149438 0.850562]])
            at 0 | rewards
        collect try-6: x?; y? | 1 of policy=linear(start, #1 blocks=[[0.332672 0.667328] [0.167328 0.832672]])
            at 0 | rewards
        collect try-7: x?; y? | 1 of policy=linear(start, #1 blocks=[[0.307765 0.692235] [0.192235 0.807765]])
            at 0 | rewards
        collect try-8: x?; y? | 1 of policy=linear(start, #1 blocks=[[0.346098 0.653902] [0.153902 0.846098]])
            at 0 | rewards
        collect chosen: x?; y? | 1 of policy=linear(start, #1 blocks=[[0.332672 0.667328] [0.167328 0.832672]])
            at 0 | rewards
        return stage=1 share/0=0.332672 share/1=0.167328 reward=0.5
        """,
    ),
    Scenario(
        "weights/hma",
        {"prompts": TWO},
        {"blocks": 1, "sweeps": 0, "method": "online/grpo", "measured": 1},
        {"answers": {"try-0": ANSWERED, "chosen": ANSWERED}},
        """
        train online/grpo on 'prompts': x?; y? | before=start policy=start | rewards
        collect try-0: x? | 1 of policy=linear(start, #1 blocks=[[0.2 0.8]]) at 0 | rewards
        collect chosen: x? | 1 of policy=linear(start, #1 blocks=[[0.2 0.8]]) at 0 | rewards
        return stage=1 share/0=0.2 reward=1
        """,
    ),
)

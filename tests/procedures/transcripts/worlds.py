"""What the procedures do that let a speaker help a small learner."""

from __future__ import annotations

from types import SimpleNamespace

from posttrain.learners.as_gymnasium import as_gymnasium
from posttrain.learners.worlds.chain import Chain
from tests.procedures.transcripts.learning import LearningScenario

SMALL = {"world": "chain", "options": {"length": 4}, "speaker": "other", "q": {"episodes": 4}, "seeds": 2}
WRONG_AT_TIMES = {"accuracy": {"other": 0.7}}


def pretended(world, features, seed, settings, extras=()):
    """Stands for deep Q-learning: returns that show what it was given."""
    start = world.reset(0)
    helped = sum(extra.potential(start) for extra in extras)
    return SimpleNamespace(returns=[helped + seed % 7 / 10, settings.episodes / 10, float(features(start).sum())])


def pretended_players(world, learner, seeds, settings, prior, strength, batches):
    """Stands for players who learn a code: codes that show what they were given."""
    given = (
        len(learner)
        + settings.episodes
        + round(100 * (strength + settings.explore + settings.rate))
        + batches
        + round(sum(p[0] for p in prior.values()))
    )
    numbers = len(world.actions)
    own = [0 if prior else 1 + seed % 3 for seed in seeds]  # without a prior each has a code of its own
    codes = [[(n * (1 + x) + given) % numbers for n in range(numbers)] for x in own]
    return [{(does, n): code[n] for does in ("sees", "hears") for n in range(numbers)} for code in codes]


def pretended_learner(env, seed, algorithm, steps, options):
    """Stands for a learner of Stable-Baselines3: what it was given, and the rewards of two first steps."""
    env.reset(seed=0)
    rewards = 2 * env.step(1)[1] + env.step(0)[1]
    return SimpleNamespace(
        number=rewards + seed % 7 + 10 * steps + 100 * "ppo dqn sac".index(algorithm) + 1000 * len(options or ())
    )


def pretended_returns(model, env, seed, episodes):
    env.reset(seed=0)
    return [model.number + env.step(1)[1] + env.step(0)[1], float(episodes + seed % 7)]


def pretended_weights(models, beside):
    assert {name.rpartition("-")[0] for name in models} <= {"helped", "alone"}
    assert len(models) % 2 == 0 or set(models) == {"alone-0"}
    assert all(hasattr(model, "number") for model in models.values())


BASELINES = {
    "learned": pretended_learner,  # which tests/learners/test_stable_baselines.py tests
    "returns": pretended_returns,
    "keep_weights": pretended_weights,
    "gymnasium_environment": lambda name, options: as_gymnasium(Chain(**options)),
}
ON_CHAIN = {"world": "chain", "options": {"length": 4}, "steps": 2, "episodes": 3}

CREDITED = {
    "potential": """
        answer other: 144 b29afb0e
        artefact table: 4438 354173ae
        artefact curves: {"helped": [0.0, 0.0], "alone": [0.0, 0.0]}
        note helped 0.000, alone 0.000: gain +0.000 [+0.000, +0.000]
        artefact detection: {"accuracy": 0.930556, "precision": 0.230769, "recall": 1.0, "f1": 0.375, "asked":
            144.0, "unread": 0.0}
        return helped=0 alone=0 gain=0 gain/low=0 gain/high=0 f1=0.375
        """,
    "repeated": """
        answer other: 64 64ec3c3c
        artefact table: 2317 20b3f88d
        artefact curves: {"helped": [0.0, 0.0], "alone": [0.0, 0.0]}
        note helped 0.000, alone 0.000: gain +0.000 [+0.000, +0.000]
        artefact detection: {"accuracy": 0.9375, "precision": 0.2, "recall": 1.0, "f1": 0.333333, "asked": 64.0,
            "unread": 0.0}
        return helped=0 alone=0 gain=0 gain/low=0 gain/high=0 f1=0.333333
        """,
}
REPEATED = (
    (
        {"threshold": 0.2},
        """
        answer other: 16 fb09d461
        artefact table: 881 a2eaa5aa
        artefact curves: {"helped": [0.0, 0.0], "alone": [0.170281, 0.0]}
        note helped 0.000, alone 0.085: gain -0.085 [-1.167, +0.997]
        artefact reached: {"go to the lower left corner": 4, "go to the upper right corner": 4}
        return helped=0 alone=0.0851404 gain=-0.0851404 gain/low=-1.16695 gain/high=0.996671
        """,
    ),
    (
        {"novel": False},
        """
        answer other: 12 c552b2a4
        artefact table: 899 1123b7f9
        artefact curves: {"helped": [0.0, 0.0], "alone": [0.170281, 0.0]}
        note helped 0.000, alone 0.085: gain -0.085 [-1.167, +0.997]
        artefact reached: {"go to the lower left corner": 35, "go to the upper right corner": 14}
        return helped=0 alone=0.0851404 gain=-0.0851404 gain/low=-1.16695 gain/high=0.996671
        """,
    ),
)
LOOKED = (
    (
        {"depth": 4, "breadth": 2, "strength": 5.0},
        """
        probabilities other: 18 915b9818
        artefact policy: 2979 ffd46a75
        note helped 0.000, alone 0.061: gain -0.061
        return helped=0 alone=0.0608735 gain=-0.0608735
        """,
    ),
    (
        {"depth": 2, "breadth": 2, "strength": 5.0},
        """
        probabilities other: 18 915b9818
        artefact policy: 2979 21b35f1a
        note helped 0.000, alone 0.061: gain -0.061
        return helped=0 alone=0.0608735 gain=-0.0608735
        """,
    ),
    (
        {"leaf": "random", "breadth": 1},
        """
        probabilities other: 18 915b9818
        artefact policy: 2979 21b35f1a
        note helped 0.000, alone 0.698: gain -0.698
        return helped=0 alone=0.698337 gain=-0.698337
        """,
    ),
)
INSTRUCTED = (
    (
        {"q": {"episodes": 50, "rate": 0.5}, "strength": 0.01},
        """
        probabilities other: 7 bd3868eb
        artefact conventions: 2971 c228302b
        note helped 0.000, alone 0.143: gain -0.143 [-0.143, -0.143]
        return helped=0 alone=0.142857 gain=-0.142857 gain/low=-0.142857 gain/high=-0.142857
        """,
    ),
    (
        {"learner": "ppo", "batches": 2, "strength": 5.0},
        """
        probabilities other: 7 bd3868eb
        artefact conventions: 2971 4ef213d5
        note helped 0.000, alone 0.143: gain -0.143 [-0.143, -0.143]
        return helped=0 alone=0.142857 gain=-0.142857 gain/low=-0.142857 gain/high=-0.142857
        """,
    ),
)

WORLDS = (
    LearningScenario(
        "worlds/guided_q",
        settings={**SMALL, "value": 0.7, "weight": 0.3, "until": 3},
        script=WRONG_AT_TIMES,
        transcript="""
        answer other: 3 9dacd2fe
        artefact table: 320 c7ddcadd
        artefact curves: {"helped": [0.551774, 0.611954, 0.451885, 0.548106], "alone": [0.533104, 0.523536,
            0.482438, 0.500681]}
        note helped 0.541, alone 0.510: gain +0.031 [-4.087, +4.149]
        return helped=0.540929 alone=0.50994 gain=0.0309899 gain/low=-4.0868 gain/high=4.14878
        """,
    ),
    LearningScenario(
        "worlds/lmgt",
        settings={**SMALL, "size": 0.3, "until": 3},
        script=WRONG_AT_TIMES,
        transcript="""
        answer other: 6 19622513
        artefact table: 324 e221fce2
        artefact curves: {"helped": [0.533104, 0.523536, 0.417067, 0.546001], "alone": [0.533104, 0.523536,
            0.482438, 0.500681]}
        note helped 0.505, alone 0.510: gain -0.005 [-0.061, +0.051]
        return helped=0.504927 alone=0.50994 gain=-0.00501274 gain/low=-0.060997 gain/high=0.0509716
        """,
    ),
    LearningScenario(
        "worlds/potential_shaping",
        settings={**SMALL, "scale": 0.7},
        script=WRONG_AT_TIMES,
        transcript="""
        answer other: 3 10c04e08
        artefact table: 321 2db5ddad
        artefact curves: {"helped": [0.792247, 0.884937, 0.858503, 0.868253], "alone": [0.533104, 0.523536,
            0.482438, 0.500681]}
        note helped 0.851, alone 0.510: gain +0.341 [-3.992, +4.674]
        return helped=0.850985 alone=0.50994 gain=0.341046 gain/low=-3.99235 gain/high=4.67444
        """,
    ),
    *(
        LearningScenario(
            "worlds/calm",
            settings={
                **SMALL,
                "world": "cooking",
                "options": {"foods": 1},
                "q": {"episodes": 2, "horizon": 40},
                "credit": credit,
                "bonus": 0.3,
            },
            script={"accuracy": {"other": 0.9}, "joined": True},
            transcript=transcript,
        )
        for credit, transcript in CREDITED.items()
    ),
    *(
        LearningScenario(
            "worlds/ellm",
            settings={
                "world": "key_door",
                "options": {"size": 2},
                "speaker": "other",
                **repeated,
                "pretraining": 2,
                "q": {"episodes": 2, "horizon": 30},
                "seeds": 2,
            },
            script={
                "accuracy": {"other": 0.0},
                "joined": True,
            },  # corners, which can be entered again, are said to make sense
            transcript=transcript,
        )
        for repeated, transcript in REPEATED
    ),
    LearningScenario(
        "worlds/task_explore",
        settings={
            "world": "key_door",
            "options": {"size": 3},
            "speaker": "other",
            "skeleton": ["go to the {} corner", "pick up the key"],
            "own": "upper right",
            "objects": ["upper right", "lower left", "middle"],
            "first": {"episodes": 3, "explore": 0.5, "horizon": 30},
            "then": {"episodes": 2, "horizon": 30},
            "seeds": 2,
        },
        script={"accuracy": {"other": 1.0}},
        transcript="""
        answer other: 2 6e9cdc48
        artefact variants: ["lower left"]
        artefact table: 4335 5cd4dfc9
        artefact curves: {"helped": [0.112968, 0.516046], "alone": [0.0, 0.179243]}
        note helped 0.315, alone 0.090: gain +0.225 [-1.296, +1.746]
        return helped=0.314507 alone=0.0896215 gain=0.224885 gain/low=-1.29641 gain/high=1.74618
        """,
    ),
    LearningScenario(
        "worlds/instruct_rl",
        settings={"learner": "ppo", "q": {"episodes": 5}},
        transcript="""
        ConfigError: procedure.q: the learner ppo reads no options of Q-learning; leave them out
        """,
    ),
    LearningScenario(
        "worlds/task_explore",
        settings={
            "world": "key_door",
            "options": {"size": 2},
            "speaker": "other",
            "skeleton": ["go to the {} corner"],
            "own": "upper right",
            "objects": ["lower left"],
            "first": {"horizon": 9},
            "then": {"horizon": 8},
            "seeds": 2,
        },
        script={"accuracy": {"other": 1.0}},
        transcript="""
        answer other: 1 e4b07240
        artefact variants: ["lower left"]
        artefact table: 424 b2a68878
        artefact curves: {"helped": [1.0, 1.0, 1.0, 0.95125, 1.0, 0.95125, 1.0, 0.975, 0.975, 1.0], "alone":
            [0.818796, 0.975, 0.95125, 1.0, 0.95125, 1.0, 0.975, 0.975, 1.0, 1.0]}
        note helped 0.985, alone 0.965: gain +0.021 [-0.118, +0.159]
        return helped=0.98525 alone=0.96463 gain=0.0206204 gain/low=-0.117501 gain/high=0.158742
        """,
    ),
    LearningScenario(
        "worlds/task_explore",
        settings={"world": "key_door", "skeleton": ["find the {}"], "objects": ["onion"]},
        transcript="""
        ConfigError: procedure.objects: key_door can do 'find the {}' with none of onion
        """,
    ),
    LearningScenario(
        "worlds/linvit",
        settings={
            "world": "chain",
            "options": {"length": 4},
            "speaker": "other",
            "strength": 3.0,
            "bonus": 0.1,
            "highest": 5.0,
            "episodes": 4,
            "horizon": 5,
            "seeds": 2,
        },
        script=WRONG_AT_TIMES,
        transcript="""
        probabilities other: 3 c11bd7d3
        artefact table: 418 bb4f2e23
        artefact curves: {"helped": [0.464609, 0.0138225, 0.0138225, 0.01], "alone": [0.464609, 0.456309, 0.005,
            0.0]}
        note helped 0.126, alone 0.231: gain -0.106 [-1.366, +1.154]
        return helped=0.125564 alone=0.23148 gain=-0.105916 gain/low=-1.36563 gain/high=1.15379
        """,
    ),
    *(
        LearningScenario(
            "worlds/slinvit",
            settings={"world": "key_door", "options": {"size": 3}, "speaker": "other", **looked},
            script={"accuracy": {"other": 0.4}},
            transcript=transcript,
        )
        for looked, transcript in LOOKED
    ),
    *(
        LearningScenario(
            "worlds/instruct_rl",
            settings={"numbers": 7, "speaker": "other", "instruction": "Select the same.", "seeds": 2, **learned},
            script={"accuracy": {"other": 0.6}},
            patches={"players": pretended_players},  # which tests/learners/guides/test_instruction.py tests
            transcript=transcript,
        )
        for learned, transcript in INSTRUCTED
    ),
    LearningScenario(
        "worlds/instruct_rl",
        settings={"seeds": 1},
        transcript="""
        ConfigError: procedure.seeds: 1 player has no stranger to play with; set 2 or more
        """,
    ),
    LearningScenario(
        "worlds/deep_q",
        settings={
            "world": "chain",
            "options": {"length": 3},
            "speaker": "other",
            "scale": 9.0,
            "episodes": 14,
            "seeds": 2,
        },
        script=WRONG_AT_TIMES,
        patches={"dqn": pretended},  # which tests/learners/test_dqn.py tests
        transcript="""
        answer other: 2 b1c77add
        artefact curves: {"helped": [[1.8, 1.4, 1.0], [2.1, 1.4, 1.0]], "alone": [[0.0, 1.4, 1.0], [0.3, 1.4, 1.0]]}
        note helped 1.450, alone 0.850: gain +0.600 [+0.600, +0.600]
        return helped=1.45 alone=0.85 gain=0.6 gain/low=0.6 gain/high=0.6
        """,
    ),
    LearningScenario(
        "worlds/stable_baselines",
        settings={**ON_CHAIN, "guide": "potential", "speaker": "other", "scale": 9.0, "seeds": 2},
        script=WRONG_AT_TIMES,
        patches=BASELINES,
        transcript="""
        answer other: 3 10c04e08
        artefact returns: {"helped": [[19.19, 3.0], [22.19, 6.0]], "alone": [[20.0, 3.0], [23.0, 6.0]]}
        note helped 12.595, alone 13.000: gain -0.405 [-0.405, -0.405]
        return helped=12.595 alone=13 gain=-0.405 gain/low=-0.405 gain/high=-0.405
        """,
    ),
    LearningScenario(
        "worlds/stable_baselines",
        settings={**ON_CHAIN, "guide": "shift", "speaker": "other", "scale": 0.3, "algorithm": "dqn", "seeds": 2},
        script=WRONG_AT_TIMES,
        patches=BASELINES,
        transcript="""
        answer other: 6 19622513
        artefact returns: {"helped": [[420.3, 3.0], [423.3, 6.0]], "alone": [[420.0, 3.0], [423.0, 6.0]]}
        note helped 213.150, alone 213.000: gain +0.150 [+0.150, +0.150]
        return helped=213.15 alone=213 gain=0.15 gain/low=0.15 gain/high=0.15
        """,
    ),
    LearningScenario(
        "worlds/stable_baselines",
        settings={"environment": "Some-v1", "options": {"length": 3}, "learner": {"gamma": 1}, "seeds": 2},
        patches=BASELINES,
        transcript="""
        artefact returns: {"alone": [[101000.0, 20.0], [101003.0, 23.0]]}
        note return 50511.500 [50492.441, 50530.559]
        return return=50511.5 return/low=50492.4 return/high=50530.6
        """,
    ),
    LearningScenario(
        "worlds/stable_baselines",
        settings={**ON_CHAIN, "seeds": 1},
        patches=BASELINES,
        transcript="""
        artefact returns: {"alone": [[20.0, 3.0]]}
        note return 11.500
        return return=11.5
        """,
    ),
    LearningScenario(
        "worlds/stable_baselines",
        settings={**ON_CHAIN, "environment": "Some-v1"},
        patches=BASELINES,
        transcript="""
        ConfigError: procedure: name either an `environment` of gymnasium, such as CartPole-v1, or a `world`
        """,
    ),
    LearningScenario(
        "worlds/stable_baselines",
        settings={},
        patches=BASELINES,
        transcript="""
        ConfigError: procedure: name either an `environment` of gymnasium, such as CartPole-v1, or a `world`
        """,
    ),
    LearningScenario(
        "worlds/stable_baselines",
        settings={"environment": "Some-v1", "options": {"length": 3}, "guide": "shift"},
        patches=BASELINES,
        transcript="""
        ConfigError: procedure.guide: shift helps in a `world`, and Some-v1 is none
        """,
    ),
)

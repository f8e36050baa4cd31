"""What the procedures do that let a speaker help a small learner."""

from __future__ import annotations

from tests.procedures.transcripts.learning import LearningScenario

SMALL = {"world": "chain", "options": {"length": 4}, "speaker": "other", "q": {"episodes": 4}, "seeds": 2}
WRONG_AT_TIMES = {"accuracy": {"other": 0.7}}

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
)

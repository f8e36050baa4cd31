"""What the procedures do that make a reward model in several stages."""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.records import Demonstration
from tests.procedures.transcripts.records import pairs
from tests.procedures.transcripts.scenario import Scenario

GIVEN = pairs(("p?", "a", "b"), ("q?", "c", "d"), ("r?", "e", "f"), ("s?", "g", "h"))

# Differences (2, 0) and (0, 4) of the states of the two pairs.
STATES = {"a": [3.0, 1.0], "b": [1.0, 1.0], "c": [0.0, 2.0], "d": [0.0, -2.0]}
LN_3 = 1.0986122886681098  # a gap of probability 3/4


def rated(*shown: tuple[str, list[float | None]]) -> Dataset:
    """(answer, ratings)"""
    rows = (Demonstration(i, "x?", a, f"file:{i}", {"attributes": r}) for i, (a, r) in enumerate(shown))
    return Dataset(tuple(rows), "rated")


# In two dimensions: the first attribute is the first coordinate, verbosity is the second.
RATED = rated(*((a, [*STATES[a], None]) for a in "abcd"))
COMPARED = pairs(("p?", "a", "b"), ("q?", "c", "d"))

REWARD = (
    Scenario(
        "reward/armorm",
        {"demonstrations": rated(*((a, [x + y, y]) for a, (x, y) in STATES.items())), "pairs": COMPARED},
        {"verbosity": 1, "threshold": 0.6, "penalties": (1e-9,), "first": {"steps": 2}, "gate": {"steps": 4}},
        {"states": STATES},
        """
        train reward/bradley_terry on 'pairs': p?: a > b; q?: c > d | policy=start reward=start | no
            rewards | steps=2
        embed rated: x? -> a; x? -> b; x? -> c; x? -> d | reward=#1
        embed compared: p?: a > b; q?: c > d | reward=#1
        head score of reward=#1 | weight=[[1 1] [0 0]]
        head gate of reward=#1 | weight=[[0 0] [0 0]]
        train reward/gated on 'pairs': p?: a > b; q?: c > d | policy=start reward=#1 | no rewards |
            steps=4
        return stage=2
        """,
    ),
    Scenario(
        "reward/armorm",
        {"demonstrations": rated(*((a, STATES[a]) for a in "abcd")), "pairs": COMPARED},
        {"penalties": (2.0,)},
        {"states": STATES},
        """
        embed rated: x? -> a; x? -> b; x? -> c; x? -> d | reward=start
        head score of reward=start | weight=[[0.8125 0.0625] [0.0625 0.8125]]
        head gate of reward=start | weight=[[0 0] [0 0]]
        train reward/gated on 'pairs': p?: a > b; q?: c > d | policy=start reward=start | no
            rewards
        return stage=1
        """,
    ),
    Scenario(
        "reward/armorm",
        {"demonstrations": rated(("a", [1.0]), ("b", [])), "pairs": COMPARED},
        {},
        {"states": STATES},
        """
        DataError: file:1: 'attributes' must be a list of numbers, null where one is missing, not []
        """,
    ),
    Scenario(
        "reward/proto_rm",
        {"pairs": COMPARED},
        {"alpha": 0.9, "most": 3, "first": {"steps": 2}, "reward": {"steps": 4}},
        {"states": STATES},
        """
        train reward/bradley_terry on 'pairs': p?: a > b; q?: c > d | policy=start reward=start | no
            rewards | steps=2
        embed states: p?: a > b; q?: c > d | reward=#1
        note 3 prototypes stand for 4 answers
        head prototype of reward=#1 | weight=[[0.5 1.5] [0 -2] [3 1]]
        train reward/prototypes on 'pairs': p?: a > b; q?: c > d | policy=start reward=#1 | no
            rewards | steps=4
        return stage=2
        """,
    ),
    Scenario(
        "reward/proto_rm",
        {"pairs": COMPARED},
        {"most": 2},
        {"states": STATES},
        """
        embed states: p?: a > b; q?: c > d | reward=start
        note 2 prototypes stand for 4 answers
        head prototype of reward=start | weight=[[1.33333 1.33333] [0 -2]]
        train reward/prototypes on 'pairs': p?: a > b; q?: c > d | policy=start reward=start | no
            rewards
        return stage=1
        """,
    ),
    Scenario(
        "reward/qrm",
        {"demonstrations": RATED, "pairs": COMPARED},
        {"quantiles": 4, "regression": {"steps": 2, "settings": {"aggregate": "mean"}}, "gate": {"steps": 4}},
        {"states": STATES},
        """
        train reward/quantiles on 'rated': x? -> a; x? -> b; x? -> c; x? -> d | policy=start | no
            rewards | steps=2 settings={scores.mix=[0.333333 0.333333 0.333333] scores.each=[0.25
            0.25 0.25 0.25] aggregate=mean}
        embed one: x? -> a | reward=#1
        head gate of reward=#1 | weight=[[0 0] [0 0] [0 0]]
        train reward/gated on 'pairs': p?: a > b; q?: c > d | policy=start reward=#1 | no rewards |
            steps=4
        return stage=2
        """,
    ),
    Scenario(
        "reward/qrm",
        {"demonstrations": RATED, "pairs": COMPARED},
        {},
        {"states": STATES},
        """
        train reward/quantiles on 'rated': x? -> a; x? -> b; x? -> c; x? -> d | policy=start | no
            rewards | settings={scores.mix=[0.333333 0.333333 0.333333] scores.each=[0.111111
            0.111111 0.111111 0.111111 0.111111 0.111111 0.111111 0.111111 0.111111]}
        embed one: x? -> a | reward=#1
        head gate of reward=#1 | weight=[[0 0] [0 0] [0 0]]
        train reward/gated on 'pairs': p?: a > b; q?: c > d | policy=start reward=#1 | no rewards
        return stage=2
        """,
    ),
    Scenario(
        "reward/warm",
        {"pairs": GIVEN},
        {
            "members": 3,
            "rates": (0.1, 0.2),
            "method": "reward/centred",
            "probe": {"steps": 2},
            "reward": {"steps": 4, "learning_rate": 9.0},
        },
        {"measures": {"average": [1.0, 0.5, 0.0, 1.0]}},
        """
        train reward/centred on 'pairs': p?: a > b; q?: c > d; r?: e > f; s?: g > h |
            policy=start reward=start | no rewards | steps=2
        train reward/centred on 'pairs': p?: a > b; q?: c > d; r?: e > f; s?: g > h |
            policy=start reward=#1 start=#1 | no rewards | steps=4 learning_rate=0.1
        train reward/centred on 'pairs': p?: a > b; q?: c > d; r?: e > f; s?: g > h |
            average=#2 policy=start reward=#1 start=#1 | no rewards | steps=4 learning_rate=0.2
        train reward/centred on 'pairs': p?: a > b; q?: c > d; r?: e > f; s?: g > h |
            average=(#2 + 0.5 to #3) policy=start reward=#1 start=#1 | no rewards | steps=4
            learning_rate=0.1
        measure average: p?: a > b; q?: c > d; r?: e > f; s?: g > h | ordered(pick(row_score)) of
            average=((#2 + 0.5 to #3) + 0.333 to #4) policy=start reward=((#2 + 0.5 to #3) + 0.333
            to #4) start=#1
        return stage=4 accuracy=0.625
        """,
    ),
    Scenario(
        "reward/warm",
        {"pairs": GIVEN},
        {"members": 1},
        {"measures": {"average": [1.0, 0.0]}},
        """
        train reward/bradley_terry on 'pairs': p?: a > b; q?: c > d; r?: e > f; s?: g > h | policy=start
            reward=start start=start | no rewards
        measure average: p?: a > b; q?: c > d; r?: e > f; s?: g > h | ordered(pick(row_score)) of
            average=#1 policy=start reward=#1 start=start
        return stage=1 accuracy=0.5
        """,
    ),
    Scenario(
        "reward/preference_strength",
        {"pairs": GIVEN},
        {"splits": 2, "flip": 0.25, "soften": 0.1, "margin": 0.5, "vote": {"steps": 2}, "reward": {"steps": 4}},
        {
            "measures": {
                "split-1-1": [1.0, -3.0],
                "split-1-2": [0.5, -1.0],
                "split-2-1": [2.0, -1.0],
                "split-2-2": [0.1, 0.2],
            }
        },
        """
        train reward/bradley_terry on 'split-1-1': r?: e > f; s?: g > h | policy=start reward=start
            | no rewards | steps=2
        measure split-1-1: p?: a > b; q?: c > d | gap(pick(row_score)) of policy=start reward=#1
        train reward/bradley_terry on 'split-1-2': p?: a > b; q?: c > d | policy=start reward=start
            | no rewards | steps=2
        measure split-1-2: r?: e > f; s?: g > h | gap(pick(row_score)) of policy=start reward=#2
        train reward/bradley_terry on 'split-2-1': r?: e > f; s?: g > h | policy=start reward=start
            | no rewards | steps=2
        measure split-2-1: p?: a > b; q?: c > d | gap(pick(row_score)) of policy=start reward=#3
        train reward/bradley_terry on 'split-2-2': p?: a > b; q?: c > d | policy=start reward=start
            | no rewards | steps=2
        measure split-2-2: r?: e > f; s?: g > h | gap(pick(row_score)) of policy=start reward=#4
        note 2 of 4 pairs have a negative strength
        train reward/soft_margin on 'pairs, relabelled': p?: a > b agreement=1 margin=0.75; q?: d >
            c agreement=1 margin=1; r?: e > f agreement=1 margin=0.15; s?: g > h agreement=0.9
            margin=-0.2 | policy=start reward=start | no rewards | steps=4
        return stage=5
        """,
    ),
    Scenario(
        "reward/preference_strength",
        {"pairs": pairs(("p?", "a", "b"), ("q?", "c", "d"))},
        {"splits": 1, "flip": 0.0, "method": "reward/margin"},
        {"measures": {"split-1-1": [1.0], "split-1-2": [0.0]}},
        """
        train reward/bradley_terry on 'split-1-1': q?: c > d | policy=start reward=start | no
            rewards
        measure split-1-1: p?: a > b | gap(pick(row_score)) of policy=start reward=#1
        train reward/bradley_terry on 'split-1-2': p?: a > b | policy=start reward=start | no
            rewards
        measure split-1-2: q?: c > d | gap(pick(row_score)) of policy=start reward=#2
        note 0 of 2 pairs have a negative strength
        train reward/margin on 'pairs, relabelled': p?: a > b agreement=1 margin=1; q?: c > d
            agreement=1 margin=0 | policy=start reward=start | no rewards
        return stage=3
        """,
    ),
    Scenario(
        "reward/laplace",
        {"pairs": pairs(("p?", "a", "b"), ("q?", "c", "d"))},
        {"ridge": 2.0, "method": "reward/centred", "reward": {"steps": 4}},
        {"states": STATES, "measures": {"gaps": [0.0, LN_3]}},
        """
        train reward/centred on 'pairs': p?: a > b; q?: c > d | policy=start | no rewards | steps=4
        embed states: p?: a > b; q?: c > d | reward=#1
        measure gaps: p?: a > b; q?: c > d | gap(pick(row_score)) of policy=start reward=#1
        head doubt of reward=#1 | weight=[[0.57735 0] [0 0.447214]]
        return stage=1
        """,
    ),
    Scenario(
        "reward/laplace",
        {"pairs": pairs(("p?", "a", "b"))},
        {"curved": False},
        {"states": STATES, "measures": {"gaps": [1.0]}},
        """
        train reward/bradley_terry on 'pairs': p?: a > b | policy=start | no rewards
        embed states: p?: a > b | reward=#1
        measure gaps: p?: a > b | gap(pick(row_score)) of policy=start reward=#1
        head doubt of reward=#1 | weight=[[0.447214 0] [0 1]]
        return stage=1
        """,
    ),
)

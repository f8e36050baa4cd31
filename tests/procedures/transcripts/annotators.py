"""What the procedures do that learn how far each annotator can be believed."""

from __future__ import annotations

from math import log

from tests.procedures.transcripts.records import pairs
from tests.procedures.transcripts.scenario import Scenario

COMPARED = [("1?", "a", "b"), ("2?", "c", "d"), ("3?", "f", "e")]

ANNOTATORS = (
    Scenario(
        "annotators/crowd_bt",
        {"pairs": pairs(*COMPARED, annotator=["bob", "ann", "bob"])},
        {"iterations": 2, "right": 3.0, "wrong": 1.0, "reward": {"steps": 4}},
        {"measures": {"gaps-1": [log(3), -log(3), 0.0], "gaps-2": [0.0, 0.0, 0.0]}},
        # Everybody begins at 3/4. Bob: P(right) is 9/10 and 3/4, so (2 + 1.65)/(2 + 2). Ann: 1/2, so 2.5/3. Gaps of 0
        # then confirm what is known: bob (2 + 2 · 0.9125)/4, ann (2 + 0.8333)/3.
        """
        train reward/crowd_bt on 'pairs of iteration 1': 1?: a > b reliability=0.75; 2?: c > d reliability=0.75;
            3?: f > e reliability=0.75 | policy=start | no rewards | steps=4
        measure gaps-1: 1?: a > b; 2?: c > d; 3?: f > e | gap(pick(row_score)) of policy=start reward=#1
        note iteration 1: reliability ann 0.83, bob 0.91
        train reward/crowd_bt on 'pairs of iteration 2': 1?: a > b reliability=0.9125; 2?: c > d reliability=0.833333;
            3?: f > e reliability=0.9125 | policy=start reward=#1 | no rewards | steps=4
        measure gaps-2: 1?: a > b; 2?: c > d; 3?: f > e | gap(pick(row_score)) of policy=start reward=#2
        note iteration 2: reliability ann 0.94, bob 0.96
        artefact reliability: ann=0.944444 bob=0.95625
        return stage=2
        """,
    ),
    Scenario(
        "annotators/crowd_bt",
        {"pairs": pairs(("1?", "a", "b"), annotator=["ann"])},
        {},
        {"measures": {f"gaps-{n}": [0.0] for n in (1, 2, 3)}},
        # A prior of 8 and 2: 0.8, then (7 + 0.8)/9, ...
        """
        train reward/crowd_bt on 'pairs of iteration 1': 1?: a > b reliability=0.8 | policy=start | no rewards
        measure gaps-1: 1?: a > b | gap(pick(row_score)) of policy=start reward=#1
        note iteration 1: reliability ann 0.87
        train reward/crowd_bt on 'pairs of iteration 2': 1?: a > b reliability=0.866667 | policy=start reward=#1
            | no rewards
        measure gaps-2: 1?: a > b | gap(pick(row_score)) of policy=start reward=#2
        note iteration 2: reliability ann 0.87
        train reward/crowd_bt on 'pairs of iteration 3': 1?: a > b reliability=0.874074 | policy=start reward=#2
            | no rewards
        measure gaps-3: 1?: a > b | gap(pick(row_score)) of policy=start reward=#3
        note iteration 3: reliability ann 0.87
        artefact reliability: ann=0.874897
        return stage=3
        """,
    ),
)

"""Online Learning from Strategic Human Feedback in LLM Fine-Tuning (Hao and Duan, 2024): weights of labellers.

An average of all labellers never learns who is accurate, and who wants to move it does well to exaggerate. Here the
weight of a labeller shrinks with the loss of each report, once its outcome is known:

    p = Σ_i w_i p_i / Σ_i w_i,        w_i ← w_i (1 - α (p_i - y)²),    α about 1/√T

p_i: probability that labeller i gives to the first answer; y: 1 if it is the better one. The quadratic loss is proper:
the expected weight is largest for who reports what they believe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

from posttrain.data.feedback.act import Act
from posttrain.data.feedback.judgements import Judgement, Label, Preference, Safety
from posttrain.errors import DataError


def aggregate(reports: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Return the weighted mean of the reports."""
    return sum(weights[i] * p for i, p in reports.items()) / sum(weights[i] for i in reports)


def updated(weight: float, report: float, outcome: float, rate: float) -> float:
    """Return the weight of a labeller after an outcome: w (1 - α (p - y)²). α is above 0 and below 1."""
    return weight * (1 - rate * (report - outcome) ** 2)


def weights(acts: Sequence[Act]) -> dict[str, float]:
    """Return the weight of every annotator, from how right they were about items whose judgement was `expected`.

    Everybody begins at 1; the acts count in the order of their times. α = 1/√T, at most 1/2, for T checks of the
    annotator who had most. DataError where nobody was checked.
    """
    checks = sorted((act for act in acts if act.expected is not None and not act.excluded), key=lambda act: act.time)
    if not checks:
        raise DataError(
            "labels: checked weighs annotators by items whose right judgement is known, and no act has 'expected'; "
            "take majority or dawid_skene"
        )
    names = [act.annotator for act in checks]
    rate = min(0.5, 1 / sqrt(max(map(names.count, names))))
    found = dict.fromkeys((act.annotator for act in acts), 1.0)
    for act in checks:
        found[act.annotator] = updated(found[act.annotator], report(act.judgement, act.expected), 1.0, rate)
    return found


def report(said: Judgement, expected: Judgement | None) -> float:
    """Return the probability that a judgement gives to the expected one: its confidence, else 1; of a tie 1/2."""
    match said, expected:
        case Preference(preferred=int(one)) as j, Preference(preferred=int(right)):
            sure = 1.0 if j.confidence is None else j.confidence
            return sure if one == right else 1 - sure
        case Preference(), Preference():
            return 1.0 if said.preferred == expected.preferred else 0.5
        case (Label(_, one), Label(_, right)) | (Safety(_, one), Safety(_, right)):
            return float(one == right)
    return float(said == expected)

"""Pairwise Ranking Aggregation in a Crowdsourced Setting (Chen et al., 2013): Crowd-BT, for a reward model.

Annotators are careful, careless or contrary, and nobody knows who is which. A reward model and the reliability η of
each annotator are learned in turn, by EM.

    r: maximise Σ log [η_k σ(Δ) + (1-η_k) σ(-Δ)]        η_k: mean of P(k is right about the pair | r), with a Beta prior

The column `annotator` names the person who compared a pair. The model of the run is the reward model.
"""

from __future__ import annotations

from posttrain.core.parts import pairwise
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.pairs import gap
from posttrain.formulas.losses.scores import row_score
from posttrain.selection.annotators import annotator, reliabilities, with_reliability
from posttrain.training.session import NO_OPTIONS, Options, Session

GAP = pairwise(gap, row_score)


def crowd_bt(
    session: Session,
    pairs: Dataset,
    *,
    iterations: int = 3,
    right: float = 8.0,
    wrong: float = 2.0,
    reward: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: train the reward model with the reliabilities -> measure the gaps -> update the reliabilities.

    Settings:
        iterations: rounds of EM; at least 1, 2 to 5 is usual.
        right: right comparisons of the Beta prior of each annotator; at least 1, where 8 against 2 trusts people.
        wrong: wrong comparisons of that prior; at least 1.
        reward: options of every stage of the reward model: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    reliability = dict.fromkeys(sorted(map(annotator, pairs)), right / (right + wrong))
    for n in range(1, iterations + 1):
        known = Dataset(tuple(with_reliability(pairs, reliability)), f"pairs of iteration {n}")
        metrics = session.train("reward/crowd_bt", known, rewards=(), **reward)
        gaps = session.measure(f"gaps-{n}", pairs, GAP)
        reliability = reliabilities(pairs, gaps, reliability, right=right, wrong=wrong)
        session.note(f"iteration {n}: reliability {', '.join(f'{k} {x:.2f}' for k, x in reliability.items())}")
    session.artefact("reliability", reliability)
    return metrics

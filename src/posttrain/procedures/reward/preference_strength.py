"""Secrets of RLHF in Large Language Models Part II: Reward Modeling (Wang et al., 2024).

How strong is the preference of each pair? Several reward models say it; then the weakest labels are flipped, doubtful
ones softened, and every gap must exceed a margin that is the strength.

    u_i = mean over models m of  r_m(x, y_w) - r_m(x, y_l)

The paper's models see every pair that they judge. Here each half of the pairs is judged by models of the other half, so
that no model repeats what it has memorised; `splits` random halvings give as many votes on each pair.
"""

from __future__ import annotations

from statistics import fmean

from posttrain.core.parts import pairwise
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.pairs import gap
from posttrain.formulas.losses.scores import row_score
from posttrain.selection.strengths import halves, relabelled
from posttrain.training.session import NO_OPTIONS, Options, Session


def preference_strength(
    session: Session,
    pairs: Dataset,
    *,
    splits: int = 5,
    flip: float = 0.1,
    soften: float = 0.0,
    margin: float = 1.0,
    method: str = "reward/soft_margin",
    vote: Options = NO_OPTIONS,
    reward: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Train models on halves -> measure the strength of each pair -> relabel the pairs -> train on them.

    Settings:
        splits: number of halvings, each of two models; at least 1, 5 gives the paper's 10 models.
        flip: share of the pairs, those of the least strength, whose labels are flipped; 0 to 0.5, 0.2 in the paper.
        soften: probability that the label of a pair of negative strength is wrong; 0 to 0.5, 0.1 in the paper.
        margin: gap that a pair must exceed for each unit of its strength; 0 (none) to 1.
        method: name of the method that reads them; reward/soft_margin reads both `agreement` and `margin`.
        vote: options of the stage of each voting model: any keys of `train`, and `settings` of its method.
        reward: options of the last stage: any keys of `train`, and `settings` of its method.
    """
    votes: dict[int, list[float]] = {p.id: [] for p in pairs}
    for split in range(1, splits + 1):
        two = halves(pairs, session.seed("halves", split))
        for number, (own, other) in enumerate((two, two[::-1]), 1):
            session.copy("policy", "reward")
            name = f"split-{split}-{number}"
            session.train("reward/bradley_terry", Dataset(own, name), rewards=(), **vote)
            for p, x in zip(other, session.measure(name, other, pairwise(gap, row_score)), strict=True):
                votes[p.id].append(x)
    strengths = [fmean(votes[p.id]) for p in pairs]
    session.note(f"{sum(x < 0 for x in strengths)} of {len(pairs)} pairs have a negative strength")
    treated = relabelled(pairs, strengths, flip=flip, soften=soften, margin=margin)
    session.copy("policy", "reward")
    return session.train(method, Dataset(treated, f"{pairs.name}, relabelled"), rewards=(), **reward)

"""Training language models to follow instructions with human feedback (Ouyang et al., 2022), stage 2.

A reward model: the score of the preferred answer exceeds that of the other (Bradley and Terry, 1952).

    L = -log σ(r(x, y_w) - r(x, y_l) - margin)

Scores are defined up to a constant per prompt.
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import logistic, ranked, sides
from posttrain.formulas.losses.scores import row_score

METHOD = Method(
    name="bradley_terry",
    streams=Stream("pairs"),
    loss=Term(pairwise(logistic, row_score, beta=1.0)),
    metrics=ranked(row_score, "accuracy", "margin") | sides(row_score, "score"),
)

"""Solving math word problems with process- and outcome-based feedback (Uesato et al., 2022): an outcome reward model.

The score of an answer is the log-odds that it is right.

    L = -l log p - (1-l) log(1-p),    p = σ(s(x, y))

Differs from reward/process, of which it is the case of one step, in the data: ratings.
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.formulas.losses.scores import row_score
from posttrain.formulas.losses.steps import outcome_accuracy, outcome_cross_entropy

METHOD = Method(
    name="outcome",
    streams=Stream("ratings"),
    loss=Term(outcome_cross_entropy),
    metrics={"accuracy": outcome_accuracy, "score": row_score},
)

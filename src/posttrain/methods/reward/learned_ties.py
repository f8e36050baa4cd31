"""Ties in Paired-Comparison Experiments: A Generalization of the Bradley-Terry Model (Rao and Kupper, 1967), θ learned.

How far apart two answers must be for people to see a difference is learned with the scores.

    P(w beats l) = σ(Δ - log θ),    P(tie) = (θ²-1) σ(Δ - log θ) σ(-Δ - log θ),    θ = 1 + (θ_0 - 1) e^{v c}

Differs from reward/ties, where θ is given, in the learned number c. v = 10 lets it learn ten times as fast as the
weights.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise, part, pick
from posttrain.core.vocabulary import live
from posttrain.formulas.losses.scores import row_score
from posttrain.formulas.losses.ties import learned_threshold, log_multiple
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

TIE = part(pick, score="tie", column=0)
LEARNED = part(pick, score="constant", column=0)
METHOD = variant(
    BRADLEY_TERRY,
    name="learned_ties",
    fields={"constant": live("B", "a number that the reward model learns, the same for all", "reward", "constant")},
    loss=Term(pairwise(learned_threshold, row_score, chosen_tie=TIE, chosen_constant=LEARNED)),
    metrics=BRADLEY_TERRY.metrics | {"ties": log_multiple},
)

"""Provably Robust DPO: Aligning Language Models with Noisy Feedback (Chowdhury et al., 2024), on a reward model.

The likelihood of labels of which a known share is flipped: a pair that contradicts the model clearly has almost no
gradient, where smoothed labels still push.

    L = -log [(1-ε) σ(Δ) + ε σ(-Δ)],    Δ = r(x, y_w) - r(x, y_l)

Differs from reward/bradley_terry, which is ε = 0, in `noisy_logistic.flips` = ε.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.reward_pairs import noisy_logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(BRADLEY_TERRY, name="label_noise", loss=Term(pairwise(noisy_logistic, row_score)))

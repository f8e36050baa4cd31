"""Adaptive Preference Scaling for Reinforcement Learning with Human Feedback (Hong et al., 2024), its reward model.

Each pair has a scale of its own, so that clear pairs may lie far apart while ambiguous ones stay close.

    L = min over τ of  -τ log σ(Δ/τ) + (ρ - log 2) τ,    Δ = r(x, y_w) - r(x, y_l)

Differs from reward/bradley_terry, which is τ = 1, in the loss; preference/ada_dpo is the same on implicit rewards. The
minimum over τ has a closed form here, where the paper takes Newton steps.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import scaled_logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

METHOD = variant(BRADLEY_TERRY, name="adaptive_scale", loss=Term(pairwise(scaled_logistic, row_score, beta=1.0)))

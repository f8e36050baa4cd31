"""Quantile Regression for Distributional Reward Models in RLHF (Dorka, 2024): its regression, QRM.

A distribution of each attribute in place of a number: ratings on which people disagree have two modes, between which
the mean of reward/attributes says what nobody says.

    L = Σ_k 1/Q Σ_i max(τ_i u, (τ_i - 1) u),    u = a_k - q_ki(x, y),    τ_i = i/(Q+1),    score = Σ_k w_k Σ_i v_i q_ki

Differs from reward/attributes in the loss and in the head. `scores.each` = v gives Q and the weights of the quantiles:
equal ones are the mean, as in the paper; without the upper ones the score is averse to risk.
"""

from posttrain.core.method import Term, variant
from posttrain.core.vocabulary import live
from posttrain.formulas.losses.attributes import HELPSTEER, pinball
from posttrain.methods.reward.attributes import METHOD as ATTRIBUTES

QUANTILES = live("B K", "quantiles of each attribute", "reward", "scores", mix=HELPSTEER, each=(1 / 9,) * 9)
METHOD = variant(ATTRIBUTES, name="quantiles", fields={"scores": QUANTILES}, loss=Term(pinball))

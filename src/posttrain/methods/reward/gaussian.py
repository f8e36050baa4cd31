"""Uncertainty-aware Reward Model: Teaching Reward Models to Know What is Unknown (Lou et al., 2024): URM.

A normal distribution of each attribute: its width says how much people disagree about such answers.

    L = Σ_k [(a_k - μ_k)² / 2s_k² + log s_k],    score = Σ_k w_k μ_k

Differs from reward/attributes, which is the limit of one fixed s, in the loss and in the head: mean and log of the
deviation of each attribute lie side by side, and the score reads the means. Ratings that scatter pull less.
"""

from posttrain.core.method import Term, variant
from posttrain.core.vocabulary import live
from posttrain.formulas.losses.attributes import HELPSTEER, gaussian_nll
from posttrain.methods.reward.attributes import METHOD as ATTRIBUTES

NORMAL = live("B K", "mean and log-deviation of each attribute", "reward", "scores", mix=HELPSTEER, each=(1.0, 0.0))
METHOD = variant(ATTRIBUTES, name="gaussian", fields={"scores": NORMAL}, loss=Term(gaussian_nll))

"""Generalized Preference Optimization: A Unified Approach to Offline Alignment (Tang et al., 2024).

GPO: any loss f of a binary classifier on the gap of the log-ratios. The losses differ in their tails: how strongly the
policy is held at the reference.

    L = f(β (s(y_w) - s(y_l)))
    f(z) = log(1 + e⁻ᶻ) | max(0, 1 - z) | (z - 1)² | e⁻ᶻ | max(0, 1 - z)² | 1/(1 + eᶻ)²

Differs from preference/dpo in `shape`: logistic (DPO), hinge (SLiC with a reference), squared (IPO with β = 2τ, times
4τ²), exponential, truncated_square, savage. Near 0 the strength of the pull is f''(0)/|f'(0)|: 1/2 for the logistic,
1 for the exponential and the square, so compare them at β in that proportion.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import convex
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="gpo", loss=Term(pairwise(convex, log_ratio, beta=0.1, shape="exponential")))

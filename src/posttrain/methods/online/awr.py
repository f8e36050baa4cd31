"""Advantage-Weighted Regression: Simple and Scalable Off-Policy Reinforcement Learning (Peng et al., 2019).

AWR: imitate the sampled tokens, the better ones more. No token is ever pushed down, and no ratio is needed.

    L = -min(exp(A_t/λ), w) log π + c ½ (V - R_t)²

The critic's advantage with `gae.lam: 0` is r_t + V_{t+1} - V_t, the Q(s, y) - V(s) of AWAC (Nair et al., 2020), since
the next state of a text is known. Differs from online/apa in the policy term.
"""

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.formulas.losses.improvement import advantage_weighted
from posttrain.methods.online.apa import METHOD as APA

METHOD = variant(APA, name="awr", loss=APA.loss | {"policy": Term(advantage_weighted, reduce=TOKEN_MEAN)})

"""Provably Robust DPO: Aligning Language Models with Noisy Feedback (Chowdhury et al., 2024).

A share ε of the labels is flipped at random; the loss is corrected so that its mean over the flips is that of DPO on
clean labels.

    L = [-(1-ε) log σ(z) + ε log σ(-z)] / (1 - 2ε),    z = β (s(y_w) - s(y_l))

Differs from preference/cdpo in the sign of the second term. Unbiased, but unbounded below: -zε/(1-2ε) for large z, so
stop early.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import debiased_logistic
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="robust_dpo", loss=Term(pairwise(debiased_logistic, log_ratio)))

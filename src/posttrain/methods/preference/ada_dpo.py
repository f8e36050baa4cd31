"""Adaptive Preference Scaling for Reinforcement Learning with Human Feedback (Hong et al., 2024).

Ada-DPO: every pair gets a scale of its own from a small robust optimisation, ambiguous pairs a small one and clear
pairs a large one.

    L = min_{τ in [τ₀, τ_max]} [-τ log σ(Δ/τ) + (ρ - log 2) τ],    Δ = β (s(y_w) - s(y_l))

Differs from preference/dpo in τ. The inner problem has the solution τ = |Δ|/c with H(σ(c)) = log 2 - ρ, clipped to the
interval [`smallest`, `largest`]; the paper finds it by Newton steps.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pairs import scaled_logistic
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(DPO, name="ada_dpo", loss=Term(pairwise(scaled_logistic, log_ratio, beta=0.1)))

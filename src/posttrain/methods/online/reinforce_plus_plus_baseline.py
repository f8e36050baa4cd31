"""REINFORCE++: Stabilizing Critic-Free Policy Optimization with Global Advantage Normalization (Hu et al., 2025).

REINFORCE++-baseline, for several answers to a prompt: the mean of the group is subtracted, and what remains is
standardised over all tokens of the batch, so that easy and hard prompts are not blown up.

    L = 1/Σ|y_i| Σ_i Σ_t -min(ρ_t A_i, clip(ρ_t) A_i) + β k2_t,   A_i = (R_i - mean_group) / std_batch

k2 = (log π/π_ref)²/2. Differs from online/grpo in the advantage, the mean over all tokens and the estimate of the KL.
"""

from dataclasses import replace

from posttrain.core.method import TOKEN_MEAN, Term, variant
from posttrain.formulas.credit.advantages import whiten
from posttrain.formulas.credit.baselines import group_centre
from posttrain.formulas.losses.penalties import kl_k2
from posttrain.methods.online.grpo import METHOD as GRPO

METHOD = variant(
    GRPO,
    name="reinforce_plus_plus_baseline",
    derived={"credit": group_centre, "advantage": whiten},
    loss={"policy": replace(GRPO.loss["policy"], reduce=TOKEN_MEAN), "kl": Term(kl_k2, 0.001, TOKEN_MEAN)},
    metrics=GRPO.metrics | {"kl": Term(kl_k2, reduce=TOKEN_MEAN)},
)

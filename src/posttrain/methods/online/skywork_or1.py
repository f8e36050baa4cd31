"""Skywork Open Reasoner 1 Technical Report (He et al., 2025).

MAGIC: GRPO on groups with contrast, with a bonus for entropy whose weight grows while the entropy is below a target.

    L = 1/Σ|y_i| Σ_i Σ_t -min(ρ_t A_i, clip(ρ_t) A_i) - α H_t,   α = c where H <= target, else 0

c goes up by Δ in every batch below the target and down by Δ in every other. Differs from online/grpo in the bonus, the
groups that it keeps and the mean over all tokens, and has no KL. `entropy: target` gives any other method this bonus.
"""

from dataclasses import replace

from posttrain.core.method import TOKEN_MEAN, Sampling, Stream, Term, variant
from posttrain.formulas.credit.controllers import adaptive_entropy
from posttrain.formulas.losses.penalties import minus_entropy
from posttrain.methods.online.grpo import METHOD as GRPO
from posttrain.selection.views import contrasting

METHOD = variant(
    GRPO,
    name="skywork_or1",
    streams=Stream("prompts", (Sampling(samples=16),), keep=contrasting),
    derived=GRPO.derived | {"entropy_weight": adaptive_entropy},
    loss={
        "policy": replace(GRPO.loss["policy"], reduce=TOKEN_MEAN),
        "entropy": Term(minus_entropy, "entropy_weight", TOKEN_MEAN),
    },
)

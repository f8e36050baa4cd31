"""DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models (Shao et al., 2024).

GRPO: the standardised reward within a group of answers to one prompt is the advantage of every token; no critic.

    L = mean_i 1/|y_i| Σ_t [-min(ρ_t A_i, clip(ρ_t, 1-ε, 1+ε) A_i) + β k3_t],   A_i = (R_i - mean) / std

ρ_t = π/π_old per token; k3 = π_ref/π - log π_ref/π - 1. β is `kl.weight`, 0 to 0.1; 0 also unloads the reference model.
A group whose answers all have the same reward has advantage 0.
"""

from posttrain.core.method import SEQUENCE_MEAN, TOKEN_MEAN, Method, Sampling, Stream, Term
from posttrain.core.parts import part
from posttrain.formulas.credit.baselines import group_standardise
from posttrain.formulas.losses.penalties import entropy_of, kl_k3, sampler_gap
from posttrain.formulas.losses.policy_gradient import clipped_share, clipped_surrogate, token_ratio

METHOD = Method(
    name="grpo",
    streams=Stream("prompts", (Sampling(samples=8),)),
    derived={"advantage": group_standardise},
    loss={
        "policy": Term(part(clipped_surrogate, ratio=token_ratio), reduce=SEQUENCE_MEAN),
        "kl": Term(kl_k3, 0.04, SEQUENCE_MEAN),
    },
    metrics={
        "kl": Term(kl_k3, reduce=TOKEN_MEAN),
        "entropy": Term(entropy_of, reduce=TOKEN_MEAN),
        "clip_ratio/region_mean": Term(part(clipped_share, ratio=token_ratio), reduce=TOKEN_MEAN),
        "sampling/logp_difference": Term(sampler_gap, reduce=TOKEN_MEAN),
    },
)

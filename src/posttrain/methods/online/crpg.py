"""The Perfect Blend: Redefining RLHF with Mixture of Judges (Xu et al., 2024): calibrated-regularised policy gradient.

CGPO's first optimiser: what the reward model says of an answer counts only where every judge finds its constraints
satisfied and the policy has not moved too far from the reference.

    L = -log π(y) (R̃ - mean R̃),    R̃ = max(1 - log(π/π_ref)/KL_max, 0) σ(r(x, y) - r(x, ȳ)) 1[no judge objects]

ȳ is an answer of the reference. R̃ is never negative, so that no answer that violates a constraint is ever made more
likely. `judges: [safe, factual]` names the rewards that judge, rules or language models; without it, a `cost` above 0
is a violation. Differs from online/reinforce in R̃ and in the baseline, which is the mean of the batch. The tasks of the
paper are the prompts on which a judge does not abstain; they share one optimiser and one KL_max.
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.formulas.credit.judged import calibrated, capped, harmless, minus_mean
from posttrain.methods.online.reinforce import METHOD as REINFORCE

METHOD = variant(
    REINFORCE,
    name="crpg",
    streams=Stream("prompts", (Sampling(samples=4), Sampling(mix=(("reference", 1.0),), train=False))),
    derived={"allowed": harmless, "calibrated": calibrated, "worth": capped, "advantage": minus_mean},
)

"""Is Reinforcement Learning (Not) for Natural Language Processing? (Ramamurthy et al., 2022).

NLPO: PPO on a masked policy. A copy of the policy, renewed every few batches, says which tokens are likely enough to be
drawn at all; the policy is renormalised over them.

    π̃(v|s) = π(v|s) [v in M(s)] / Σ_{u in M(s)} π(u|s),   M(s) = likeliest tokens of probability p under π_ψ
    L = -min(ρ̃ A, clip(ρ̃, 1-ε, 1+ε) A) + c L_value,      ρ̃ = π̃/π̃_old,    π_ψ ← π every `mask.batches` batches

π̃_old is recorded with each token as it is drawn. The KL in the reward is that of the policy without its mask, and
evaluation and the saved model have none either. With `top_p: 1` it is online/ppo, from which it differs in how answers
are drawn and in the ratio.
"""

from posttrain.core.decoder import Decoder
from posttrain.core.method import TOKEN_MEAN, Sampling, Stream, Term, variant, without
from posttrain.core.parts import part
from posttrain.core.vocabulary import live
from posttrain.core.weights import Average
from posttrain.formulas.losses.policy_gradient import clipped_share, clipped_surrogate, token_ratio
from posttrain.formulas.losses.support import masked_logp, within
from posttrain.methods.online.ppo import METHOD as PPO

RATIO = part(token_ratio, logp=masked_logp, old_logp="rollout_logp")

METHOD = variant(
    PPO,
    name="nlpo",
    streams=Stream("prompts", (Sampling(decoder=Decoder("within", within, (("least", 1), ("top_p", 0.9)))),)),
    averages={"mask": Average("policy", 0.0, batches=5)},
    fields={"mask_logits": live("T V", "logits of the mask model", "mask", "logits")},
    loss=PPO.loss | {"policy": Term(part(clipped_surrogate, ratio=RATIO), reduce=TOKEN_MEAN)},
    metrics=without(PPO.metrics, "sampling/logp_difference")
    | {"clip_ratio/region_mean": Term(part(clipped_share, ratio=RATIO), reduce=TOKEN_MEAN)},
)

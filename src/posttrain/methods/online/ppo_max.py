"""Secrets of RLHF in Large Language Models Part I: PPO (Zheng et al., 2023).

PPO-max: what keeps PPO stable on language models, each a switch. With all of them off it is online/ppo.

    R ← clip(R/s, ±c),   s = standard deviation of all rewards so far
    A ← clip(whiten(A), ±c_A)
    L = L_ppo - c_H H(π) - γ_ptx E_pretrain[log π(x)]

Differs from online/ppo in the scaled reward (`scaled_reward.by`, `scaled_reward.clip`), the clip of advantages
(`bound`, off), the entropy bonus (`entropy.weight`, off), the pretraining text (`pretrain.weight`; 0 needs none) and
the weights. The other switches belong to every method with a critic: `clipped_value.clip`, a critic that begins as the
reward model (`models.reward`, or `models.critic`) and learns alone at first (`train.critic_warmup`), and
`train.max_grad_norm`.
"""

from posttrain.core.method import TOKEN_MEAN, Stream, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import whiten
from posttrain.formulas.credit.scaling import clipped, running_scale
from posttrain.formulas.credit.shaping import reward_minus_fixed_kl
from posttrain.formulas.losses.penalties import minus_entropy
from posttrain.formulas.losses.scores import nll
from posttrain.formulas.losses.values import clipped_value
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="ppo_max",
    streams=PPO.streams | {"pretrain": Stream("text")},
    derived=PPO.derived
    | {
        "scaled_reward": running_scale,
        "token_reward": part(reward_minus_fixed_kl, reward="scaled_reward", kl_weight=0.02),
        "advantage": part(clipped, advantage=whiten),
    },
    loss=PPO.loss
    | {
        "value": Term(clipped_value, 1.0, TOKEN_MEAN),
        "entropy": Term(minus_entropy, 0.0, TOKEN_MEAN),
        "pretrain": Term(nll, 1.0, TOKEN_MEAN, over="pretrain"),
    },
)

"""Overcoming Reward Overoptimization via Adversarial Policy Optimization with Lightweight Uncertainty Estimation (Zhang
et al., 2024).

AdvPO: the policy pursues the reward that is worst for its whole batch, among those that the preferences allow.

    max_π min_{|φ-φ̂|_P <= B} E[φ·e(x, y)] - E[φ·e(x, y_ref)] - β KL,    φ* = φ̂ - B P⁻¹ ḡ / |ḡ|_{P⁻¹}

e is the reward model's last state, ḡ the batch's mean of e(x, y) - e(x, y_ref), y_ref an answer of the reference.
Differs from online/rloo in the reward, which needs the head that reward/laplace adds to a reward model; B is
`adversarial_reward.radius`, and 0 is the reward itself.
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import once
from posttrain.formulas.credit.adversarial import adversarial_reward
from posttrain.formulas.credit.baselines import leave_one_out
from posttrain.formulas.credit.shaping import row_reward_minus_kl
from posttrain.methods.online.rloo import METHOD as RLOO

METHOD = variant(
    RLOO,
    name="advpo",
    streams=Stream("prompts", (Sampling(samples=4), Sampling(mix=(("reference", 1.0),), train=False))),
    fields={
        "doubt": once("B K", "last state of the reward model, whitened by its precision", "reward", "doubt", size=0)
    },
    derived={
        "worst_reward": part(adversarial_reward),
        "advantage": part(leave_one_out, reward=part(row_reward_minus_kl, reward="worst_reward", kl_weight=0.05)),
    },
)

"""The Energy Loss Phenomenon in RLHF: A New Perspective on Mitigating Reward Hacking (Miao et al., 2025).

EPPO: a policy that hacks its reward loses more and more energy in its last layer. What deviates from the reference's
energy loss is taken off the reward.

    R' = R - η |E_π(y) - E_ref(y_ref)|,    E(y) = 1/|y| Σ_t (|h_in,t|_1 - |h_out,t|_1) / D

h_in and h_out are what the MLP of the last layer reads and writes where y_t is predicted, y_ref an answer of the
reference to the same prompt. Differs from online/ppo in the reward; with η = 0 (`price`) it is PPO.
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import once
from posttrain.formulas.credit.energy import reward_minus_energy
from posttrain.formulas.credit.shaping import reward_minus_fixed_kl
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="eppo",
    streams=Stream("prompts", (Sampling(), Sampling(mix=(("reference", 1.0),), train=False))),
    fields={
        "old_energy": once("T", "energy loss of the policy's last layer, before the update", "policy", "energy_loss"),
        "ref_energy": once("T", "energy loss of the reference's last layer", "reference", "energy_loss"),
    },
    derived=PPO.derived | {"token_reward": part(reward_minus_fixed_kl, reward=reward_minus_energy, kl_weight=0.05)},
)

"""Aligning as Debiasing: Causality-Aware Alignment via Reinforcement Learning with Interventional Feedback (Xia et al.,
2024).

CAA: the reward model is an instrument that is read before and after the intervention of training. An answer counts as
much as its reward differs from that of the initial policy's answer, so that what no training changed teaches nothing.

    L = -ŵ min(ρ_t A_t, clip(ρ_t, 1-ε, 1+ε) A_t),    w = |R(x, y_init) - R(x, y)|,    ŵ = (w - min) / (max - min)

y_init is an answer of the reference; min and max are over the batch. Differs from online/ppo in the weight of an
answer's advantages. The reward `interventional` averages over counterfactual prompts besides.
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import whiten
from posttrain.formulas.credit.interventions import intervention_effect, times_effect
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="caa",
    streams=Stream("prompts", (Sampling(), Sampling(mix=(("reference", 1.0),), train=False))),
    derived=PPO.derived | {"advantage": part(times_effect, credit=whiten, effect=intervention_effect)},
)

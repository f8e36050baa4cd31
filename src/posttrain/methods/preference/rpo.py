"""Reward-aware Preference Optimization: A Unified Mathematical Framework for Model Alignment (Sun et al., 2025).

RPO: the gap of the implicit rewards is matched to that of explicit ones instead of growing without end (Nemotron-4
340B, 2024, where it was introduced).

    L = KL(σ(b) || σ(a)),    a = β (s(y_w) - s(y_l)),    b = η (r(y_w) - r(y_l))

Differs from preference/dpo in the target: with b = ∞ they are the same. `distance` is backward (the above, Nemotron's),
forward (the KL the other way round) or squared, (a - b)². The rewards are the columns chosen_reward and
rejected_reward, or a reward model's. All three end at π_ref exp(η r/β)/Z. TRL calls another loss RPO: DPO + NLL.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import pairwise
from posttrain.formulas.losses.pair_targets import reward_gap
from posttrain.formulas.losses.scores import log_ratio, row_reward
from posttrain.methods.preference.dpo import METHOD as DPO

METHOD = variant(
    DPO,
    name="rpo",
    loss=Term(pairwise(reward_gap, log_ratio, reward=row_reward, beta=0.1, eta=1.0, distance="backward")),
)

"""DPO Meets PPO: Reinforced Token Optimization for RLHF (Zhong et al., 2024).

RTO: what preferences teach a model by DPO becomes a reward of every token, which PPO pursues beside that of the answer.

    r_t = clip(β₁ log π_dpo/π_ref, ±c) + [t last] R - β₂ log π_old/π_ref

The token rewards of an answer add up to DPO's implicit reward, and without R and the clip, at β₁ = β₂, the best policy
is π_dpo. Differs from online/ppo in these rewards. The run names the model that preference/dpo trained from the
reference: `models: {dpo: FOLDER}`.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import once
from posttrain.formulas.credit.implicit import implicit_reward, plus_last
from posttrain.formulas.credit.redistribution import minus_kl
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="rto",
    fields={"dpo_logp": once("T", "log-prob under the model that preferences have trained", "dpo", "logp")},
    derived=PPO.derived
    | {"token_reward": part(minus_kl, dense=part(plus_last, dense=implicit_reward), kl_weight=0.01)},
)

"""Fine-Grained Human Feedback Gives Better Rewards for Language Model Training (Wu et al., 2023).

PPO whose rewards stand where they were earned: at the end of each sentence or span that a reward judged.

    r_t = Σ_k w_k Σ_j [t = end of span j] R_k(x, y, j) - β log π_old/π_ref

Differs from online/ppo in the place of the reward. Rewards that return `Spans` or `Turns` are at their tokens, those of
whole answers at the last one; the numbers add up to the reward of the answer. With `scoring.combine: gate` this is
ALaRM (Lai et al., 2024), with the reward judge_spans beside that of the whole answer RELC (Cao et al., 2024).
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.formulas.credit.shaping import dense_reward_minus_kl
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="ppo_dense",
    derived=PPO.derived | {"token_reward": part(dense_reward_minus_kl, kl_weight=0.05)},
)

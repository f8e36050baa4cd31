"""Dense Reward for Free in Reinforcement Learning from Human Feedback (Chan et al., 2024): ABC.

The reward model says by its attention which tokens its score is about, and these get their share of it.

    r_t = c α_t s(x, y) + (1 - c) [t last] s(x, y) - β log π_old/π_ref

α is the attention of the last layer from the last token of the answer to the others, averaged over heads and scaled to
sum 1 over the answer. Differs from online/ppo in the reward of each token; both add up to the score.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import once
from posttrain.formulas.credit.redistribution import by_attention, minus_kl
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="attention_credit",
    fields={"reward_attention": once("T", "attention of the reward model to each token", "reward", "attention")},
    derived=PPO.derived | {"token_reward": part(minus_kl, dense=by_attention)},
)

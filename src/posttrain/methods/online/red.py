"""RED: Unleashing Token-Level Rewards from Holistic Feedback via Reward Redistribution (Li et al., 2024).

A reward model scores every prefix of an answer, and a token is rewarded by how much it changes that score. The rewards
add up to the score of the answer, and no model is needed besides the one that gives it.

    r_t = s(x, y_≤t) - s(x, y_<t) - β log π_old/π_ref,    s of nothing is 0

Differs from online/ppo in the reward of each token. `score_differences.share` below 1 leaves a part of the score at the
last token.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import once
from posttrain.formulas.credit.redistribution import minus_kl, score_differences
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="red",
    fields={"prefix_reward": once("T", "score of the answer up to each token", "reward", "prefix_score")},
    derived=PPO.derived | {"token_reward": part(minus_kl, dense=score_differences)},
)

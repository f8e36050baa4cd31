"""General Preference Modeling with Preference Representations for Aligning Language Models (Zhang et al., 2024).

RL against GPM: the reward of an answer is how often it beats the other answers to its prompt, by a reward model whose
preferences may be cyclic.

    R_i = 1/(G-1) Σ_{j≠i} σ(s(y_i, y_j)/τ)

Differs from online/grpo in the reward, which needs a model that reward/general_preference has trained. The paper
optimises it with the squares of preference/sppo.
"""

from posttrain.core.method import variant
from posttrain.core.vocabulary import once
from posttrain.formulas.losses.embeddings import win_rate
from posttrain.methods.online.grpo import METHOD as GRPO

EMBEDDING = once("B K", "embedding of the answer by the reward model", "reward", "scores", size=0)
METHOD = variant(
    GRPO,
    name="group_win_rate",
    fields={"reward_scores": EMBEDDING},
    derived=GRPO.derived | {"reward": win_rate},
)

"""Training language models to follow instructions with human feedback (Ouyang et al., 2022), stage 3.

PPO-ptx: a second stream of pretraining text preserves the language model's abilities while it pursues the reward.

    L = L_ppo - γ_ptx E_pretrain[log π(x)]

Differs from online/ppo by one term over the stream `pretrain` (`pretrain.weight` = γ_ptx). The paper's γ_ptx = 27.8
multiplies a sum over another batch size; here it multiplies a mean over tokens.
"""

from posttrain.core.method import TOKEN_MEAN, Stream, Term, variant
from posttrain.formulas.losses.scores import nll
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="ppo_ptx",
    streams=PPO.streams | {"pretrain": Stream("text")},
    loss=PPO.loss | {"pretrain": Term(nll, 1.0, TOKEN_MEAN, over="pretrain")},
)

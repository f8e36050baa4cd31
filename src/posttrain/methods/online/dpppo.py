"""Privately Aligning Language Models with Reinforcement Learning (Wu et al., 2024): DPPPO.

PPO in which no prompt touches what another one teaches, for `train.privacy`: one pass over each batch, advantages that
are not standardised over the batch, and losses that are means over the answers of one prompt.

    L = 1/|y| Σ_t -min(ρ_t A_t, clip(ρ_t, 1-ε, 1+ε) A_t) + c ½ max((V - R_t)², (clip(V, V_old ± ε_v) - R_t)²)

The gradient of each prompt, of policy and critic together, is clipped and gets noise (backends/local/private.py).
Differs from online/ppo in these three things alone.
"""

from posttrain.core.method import SEQUENCE_MEAN, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import add_value
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="dpppo",
    passes=1,
    derived={
        "token_reward": PPO.derived["token_reward"],
        "advantage": PPO.derived["credit"],
        "returns": part(add_value, credit="advantage"),
    },
    loss={name: Term(term.part, term.weight, SEQUENCE_MEAN) for name, term in PPO.loss.items()},
)

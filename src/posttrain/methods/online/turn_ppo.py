"""Turn-PPO: Turn-Level Advantage Estimation with PPO for Improved Multi-Turn RL in Agentic LLMs (Li et al., 2025).

PPO on conversations where a whole turn is one action: the critic values the states in which turns begin, and all tokens
of a turn share its advantage.

    A_k = δ_k + γλ A_{k+1},    δ_k = Σ_{t in turn k} r_t + γ V_{k+1} - V_k

Rewards stand at the ends of turns, as in online/ppo_dense; a reward of the whole conversation is the last turn's. Every
token of a turn teaches the critic the turn's return. With turns of one token it is online/ppo_dense. Differs from it in
the time steps; with the setting `turn_gamma` any other method on token rewards discounts between turns as well.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import add_value
from posttrain.formulas.credit.turns import turn_gae, turn_value
from posttrain.methods.online.ppo_dense import METHOD as PPO_DENSE

METHOD = variant(
    PPO_DENSE,
    name="turn_ppo",
    derived=PPO_DENSE.derived
    | {
        "turn_value": turn_value,
        "credit": part(turn_gae, turn_gamma=1.0, lam=0.95),
        "returns": part(add_value, old_value="turn_value"),
    },
)

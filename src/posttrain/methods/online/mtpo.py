"""Multi-turn Reinforcement Learning from Preference Human Feedback (Shani et al., 2024).

MTPO: the policy holds two conversations from each prompt, a preference compares them as wholes, and every turn is
credited with what it changes in the probability of winning. Self-play by mirror descent, in each state x of a turn:

    π_{t+1}(y|x) ∝ μ(y|x)^{ητ} π_t(y|x)^{1-ητ} exp(η Q(x, y)),    Q of P(c ≻ c') - 1/2 less τ KL of the later turns
    L = -Σ_k A_k log π(y_k|x_k) + c ½ (V - R)²,    A_k = Q(x_k, y_k) - V(x_k) - τ log π/μ(y_k|x_k) by GAE over turns

The update is π_t exp(η A) normalised, whose first step is that of the loss; its fixed point is the equilibrium of the
game regularised by τ. Both conversations are trained, each against the other. μ is the reference. The reward must be a
preference, as for online/nash_md; the paper writes α for τ. Differs from online/a2c in the turns and the game.
"""

from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import add_value
from posttrain.formulas.credit.turns import turn_gae, turn_value, win_minus_kl_over_turns
from posttrain.methods.online.a2c import METHOD as A2C

METHOD = variant(
    A2C,
    name="mtpo",
    streams=Stream("prompts", (Sampling(), Sampling())),
    derived={
        "token_reward": part(win_minus_kl_over_turns, tau=0.1),
        "turn_value": turn_value,
        "advantage": part(turn_gae, lam=0.95),
        "returns": part(add_value, credit="advantage", old_value="turn_value"),
    },
)

"""Mitigating Reward Over-Optimization in RLHF via Behavior-Supported Regularization (Dai et al., 2025).

BSPO: a reward model knows nothing of tokens that its data never had. Such tokens get the lowest value instead of a
guess, and what the data supports keeps its value.

    Q(s, a) = r + γ V(s')   if β(a|s) >= ε,   Q_min   otherwise

β is the language model of the reward model, which reward/score_lm trains with it; Q_min is the lowest reward so far
less `lowest_reward.margin`, and ε is `supported.floor`. Differs from online/ppo in the advantages and the target of the
critic; with ε = 0 it is PPO. The paper asks for β > 0, which no softmax fails, so ε is ours.
"""

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import once
from posttrain.formulas.credit.support import lowest_reward, supported, supported_gae
from posttrain.methods.online.ppo import METHOD as PPO

METHOD = variant(
    PPO,
    name="bspo",
    fields={"behaviour_logp": once("T", "log-prob under the language model of the reward model", "reward", "logp")},
    derived=PPO.derived
    | {"support": supported, "lowest": lowest_reward, "credit": part(supported_gae, gamma=1.0, lam=0.95)},
)

"""Reinforcement Learning for Bandit Neural Machine Translation with Simulated Human Feedback (Nguyen et al., 2017).

Advantage actor-critic on whole answers: each answer gets one rating, which a critic predicts from every prefix.

    L = -Σ_t (R - V_t) log π(y_t) + c ½ Σ_t (V_t - R)²

Differs from online/reinforce in the baseline. `gamma` discounts the rating of the answer for its early tokens. With the
transform `simulated_rating` the ratings are those of people. The paper pretrains the critic on answers of the frozen
model.
"""

from posttrain.core.method import SEQUENCE_SUM, TOKEN_MEAN, Term, variant
from posttrain.core.parts import part
from posttrain.formulas.credit.advantages import minus_value, reward_to_go
from posttrain.formulas.credit.shaping import terminal
from posttrain.formulas.losses.policy_gradient import reinforce
from posttrain.formulas.losses.values import explained_variance, value_error
from posttrain.methods.online.reinforce import METHOD as REINFORCE

METHOD = variant(
    REINFORCE,
    name="a2c",
    derived={
        "token_reward": terminal,
        "returns": part(reward_to_go, gamma=1.0),
        "advantage": minus_value,
    },
    loss={"policy": Term(reinforce, reduce=SEQUENCE_SUM), "value": Term(value_error, 0.5, TOKEN_MEAN)},
    metrics=REINFORCE.metrics | {"value/explained_var": explained_variance},
)

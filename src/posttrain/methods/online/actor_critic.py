"""An Actor-Critic Algorithm for Sequence Prediction (Bahdanau et al., 2017).

A critic values every token that could stand at a place, so that the actor follows the whole expectation instead of one
sample. Both have delayed copies: the delayed actor writes the answers, and the critic learns from the delayed two.

    L = -Σ_t Σ_a π(a|s_t) Q(s_t, a) + Σ_t (Q(s_t, y_t) - q_t)² + λ_C Σ_t Σ_a (Q(s_t, a) - mean Q)² - λ_LL log π(y*)
    q_t = r_t + Σ_a π'(a|s_{t+1}) Q'(s_{t+1}, a),    r_t = R(y_≤t) - R(y_<t)

Rewards that judge parts give r_t, such as `{path: gleu, dense: true}`. λ_C is `spread.weight`, λ_LL `imitation.weight`.
Q is the logits of a model of its own, `models.q`, else a copy of the policy. Here it reads what the policy reads; the
paper's critic reads the reference answer as well. The paper trains the critic alone first.
"""

from posttrain.core.method import SEQUENCE_SUM, TOKEN_MEAN, Method, Sampling, Stream, Term
from posttrain.core.parts import part
from posttrain.core.vocabulary import live
from posttrain.core.weights import Average
from posttrain.formulas.losses.penalties import entropy_of
from posttrain.formulas.losses.policy_gradient import all_actions
from posttrain.formulas.losses.scores import nll
from posttrain.formulas.losses.values import expected_value, one_step_error, spread_of_values, taken

DECAY = 0.999
TARGET = part(expected_value, logits="target_logits", q="target_q")
METHOD = Method(
    name="actor_critic",
    streams={
        "main": Stream("prompts", (Sampling(mix=(("target_policy", 1.0),)),)),
        "demonstrations": Stream("demonstrations"),
    },
    fields={
        "q": live("T V", "value of every token", "q", "logits"),
        "target_q": live("T V", "the same, delayed", "target_q", "logits"),
        "target_logits": live("T V", "logits of the delayed actor", "target_policy", "logits"),
    },
    averages={"target_policy": Average("policy", DECAY), "target_q": Average("q", DECAY)},
    loss={
        "policy": Term(all_actions, reduce=SEQUENCE_SUM),
        "critic": Term(
            part(one_step_error, taken_q=taken, value=TARGET, token_reward="dense_reward", gamma=1.0),
            reduce=SEQUENCE_SUM,
        ),
        "spread": Term(spread_of_values, 0.001, SEQUENCE_SUM),
        "imitation": Term(nll, 0.1, SEQUENCE_SUM, over="demonstrations"),
    },
    metrics={"entropy": Term(entropy_of, reduce=TOKEN_MEAN)},
)

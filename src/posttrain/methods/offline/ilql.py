"""Offline RL for Natural Language Generation with Implicit Language Q Learning (Snell et al., 2022).

ILQL: Q-functions of tokens are trained on answers with a reward, without ever querying a token outside the data. The
policy itself only imitates; the Q-functions shift its logits when it answers.

    L = Σ_i (r_t + γ sg V_{t+1} - Q_i(s_t, y_t))² + |τ - [d < 0]| d² - α Σ_i log softmax(Q_i)[y_t] - log π(y_t)
    d = sg min(Q̂_1, Q̂_2) - V,    Q̂ the moving averages of Q_1 and Q_2,    r_t = [t last] r(y)

Q_1 and Q_2 are the logits of separate models (`q1`, `q2`, initialised as copies of the policy), V is the critic. α is
`conservative1.weight` and `conservative2.weight`, 1e-4 to 1 in the authors' code. The model is saved with Q̂_1, Q̂_2 and
the decoder `ilql`, by which `posttrain sample` answers: π exp(β min(Q̂_1, Q̂_2)).
"""

from posttrain.core.method import TOKEN_MEAN, Method, Stream, Term
from posttrain.core.parts import part
from posttrain.core.vocabulary import live
from posttrain.core.weights import Average
from posttrain.formulas.credit.shaping import terminal
from posttrain.formulas.losses.scores import nll
from posttrain.formulas.losses.values import conservative, expectile, one_step_error, taken

DECAY = 0.995
Q_OF_DATA = {"taken_q": part(taken, q="target_q1"), "other_q": part(taken, q="target_q2")}
METHOD = Method(
    name="ilql",
    decoder="ilql",
    streams=Stream("demonstrations"),
    fields={n: live("T V", "value of every token", n, "logits") for n in ("q1", "q2", "target_q1", "target_q2")},
    averages={"target_q1": Average("q1", DECAY), "target_q2": Average("q2", DECAY)},
    derived={"token_reward": terminal},
    loss={
        "q1": Term(part(one_step_error, taken_q=part(taken, q="q1")), reduce=TOKEN_MEAN),
        "q2": Term(part(one_step_error, taken_q=part(taken, q="q2")), reduce=TOKEN_MEAN),
        "value": Term(part(expectile, **Q_OF_DATA), reduce=TOKEN_MEAN),
        "conservative1": Term(part(conservative, q="q1"), 0.1, TOKEN_MEAN),
        "conservative2": Term(part(conservative, q="q2"), 0.1, TOKEN_MEAN),
        "imitation": Term(nll, reduce=TOKEN_MEAN),
    },
)

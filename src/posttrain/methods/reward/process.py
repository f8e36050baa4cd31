"""Let's Verify Step by Step (Lightman et al., 2023): a process reward model.

The score after each step of a solution is the log-odds that the step is right, by people's labels (PRM800K) or by how
many completions from there reach the right answer (Math-Shepherd).

    L = mean over steps of  -l_t log p_t - (1-l_t) log(1-p_t),    p_t = σ(s(x, y_≤t))

Trained are the tokens that complete a step, and no others. The score of a whole solution is the least p_t, their
product, the last or the mean (`by` of pipelines/math_shepherd).
"""

from posttrain.core.method import TOKEN_MEAN, Method, Stream, Term
from posttrain.formulas.losses.steps import step_accuracy, step_cross_entropy

METHOD = Method(
    name="process",
    streams=Stream("steps"),
    loss=Term(step_cross_entropy, reduce=TOKEN_MEAN),
    metrics={"accuracy": Term(step_accuracy, reduce=TOKEN_MEAN)},
)

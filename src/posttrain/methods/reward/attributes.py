"""HelpSteer2: Open-source Dataset for Training Top-performing Reward Models (Wang et al., 2024).

Regression on what people say of several attributes of an answer (SteerLM, HelpSteer, the reward model of Nemotron-4). A
head has a number for each of them, and a fixed mix of these is the score that RL pursues.

    L = Σ_k (r_k(x, y) - a_k)²,    score = Σ_k w_k r_k

The column `attributes` holds a list of numbers, or `columns: {attributes: [helpfulness, ...]}` makes it of several;
null is a label that is missing and costs nothing. w is `scores.mix`: here that of the paper's Llama 3 70B for
helpfulness, correctness, coherence, complexity and verbosity, of 0 to 4.
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.core.vocabulary import live
from posttrain.formulas.losses.attributes import HELPSTEER, absolute_error, attribute_error
from posttrain.formulas.losses.scores import row_score

METHOD = Method(
    name="attributes",
    streams=Stream("demonstrations"),
    fields={"scores": live("B K", "a number for each attribute of the answer", "reward", "scores", mix=HELPSTEER)},
    loss=Term(attribute_error),
    metrics={"error": absolute_error, "score": row_score},
)

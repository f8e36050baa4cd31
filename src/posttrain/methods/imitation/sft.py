"""Training language models to follow instructions with human feedback (Ouyang et al., 2022), stage 1.

Supervised fine-tuning: maximise the likelihood of demonstrations. It gives the policy that every later method starts
from.

    L = -1/N Σ_t log π(y_t | x, y_<t)        N = trained tokens of the whole optimiser step

`loss.reduce: sequence_mean` gives every answer the same weight instead of every token.
"""

from posttrain.core.method import TOKEN_MEAN, Method, Stream, Term
from posttrain.formulas.losses.penalties import entropy_of
from posttrain.formulas.losses.scores import nll

METHOD = Method(
    name="sft",
    streams=Stream("demonstrations"),
    loss=Term(nll, reduce=TOKEN_MEAN),
    metrics={"entropy": Term(entropy_of, reduce=TOKEN_MEAN)},
)

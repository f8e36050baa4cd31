"""BeaverTails: Towards Improved Safety Alignment of LLM via a Human-Preference Dataset (Ji et al., 2023), moderation.

Single answers that are safe (`label` true) or not: the score is the log-odds of harm.

    L = -log σ(h C),    h = -1 for a safe answer, else 1

The terms of reward/cost that are about one answer, without the order of two.
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.core.parts import part
from posttrain.formulas.losses.costs import harm_nll, sign_right

METHOD = Method(
    name="harm",
    streams=Stream("ratings"),
    loss=Term(part(harm_nll, safe="label")),
    metrics={"signs": part(sign_right, safe="label")},
)

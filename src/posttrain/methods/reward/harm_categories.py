"""BeaverTails: Towards Improved Safety Alignment of LLM via a Human-Preference Dataset (Ji et al., 2023), harms.

Single answers, each marked with the kinds of harm that it does: a head of log-odds, one for each kind.

    L = -Σ_k log σ(h_k r_k),    h_k = 1 where the answer does harm of kind k, else -1

Differs from reward/harm in the number of kinds: 14 in BeaverTails' mapping `category`; for others set `scores.mix` to
as many weights, and the list `attributes` in the data. The score is the mean of the log-odds.
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.core.vocabulary import live
from posttrain.formulas.losses.costs import BEAVERTAILS, categories_nll, categories_right
from posttrain.formulas.losses.scores import row_score

METHOD = Method(
    name="harm_categories",
    streams=Stream("demonstrations"),
    fields={"scores": live("B K", "log-odds of each kind of harm", "reward", "scores", mix=BEAVERTAILS)},
    loss=Term(categories_nll),
    metrics={"right": categories_right, "score": row_score},
)

"""Training language models to follow instructions with human feedback (Ouyang et al., 2022), stage 2 with K answers.

All pairs of a ranking of K answers count as one example, so that a prompt with many pairs is not over-fitted.

    L = -1/C(K,2) Σ_{i above j} log σ(r_i - r_j)

Differs from reward/bradley_terry, which is K = 2, in the data: rankings.
"""

from posttrain.core.method import Method, Stream, Term
from posttrain.core.parts import part
from posttrain.formulas.losses.lists import all_pairs
from posttrain.formulas.losses.scores import row_score

METHOD = Method(name="all_pairs", streams=Stream("rankings"), loss=Term(part(all_pairs, score=row_score)))

"""Principled RLHF from Pairwise or K-wise Comparisons (Zhu, Jordan and Jiao, 2023): the reward model of Starling-7B.

The likelihood of a whole ranking of K answers (Plackett, 1975; Luce, 1959).

    L = -Σ_k log [e^{r_k} / Σ_{j>=k} e^{r_j}]

Differs from reward/all_pairs in the likelihood: it is that of one order, not of C(K,2) comparisons. K = 2 is
reward/bradley_terry.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import part
from posttrain.formulas.losses.lists import plackett_luce
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.all_pairs import METHOD as ALL_PAIRS

METHOD = variant(ALL_PAIRS, name="plackett_luce", loss=Term(part(plackett_luce, score=row_score, beta=1.0)))

"""Fine-Tuning Language Models from Human Preferences (Ziegler et al., 2019): the best of K answers.

People pick one of K answers (4 in the paper); nothing is said about the order of the others.

    L = -log [e^{r_best} / Σ_j e^{r_j}]

Differs from reward/plackett_luce, whose first factor it is. K = 2 is reward/bradley_terry.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import part
from posttrain.formulas.losses.lists import choice
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.reward.all_pairs import METHOD as ALL_PAIRS

METHOD = variant(ALL_PAIRS, name="choice", loss=Term(part(choice, score=row_score)))

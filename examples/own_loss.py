"""A loss of one's own: one file beside the run file. (Not a paper; an example, 2026.)

DPO with a squared hinge: pairs that are already further apart than a margin teach nothing.

    L = max(0, m - β (s(y_w) - s(y_l)))²
"""

from posttrain import Term, pairwise, variant
from posttrain.core.parts import PerPair
from posttrain.formulas.losses.scores import log_ratio
from posttrain.methods.preference.dpo import METHOD as DPO


def squared_hinge(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, margin: float = 1.0) -> PerPair:
    """max(0, m - β (chosen - rejected))²"""
    return (margin - beta * (chosen - rejected)).clamp(min=0) ** 2


METHOD = variant(DPO, name="own_loss", loss=Term(pairwise(squared_hinge, log_ratio)))

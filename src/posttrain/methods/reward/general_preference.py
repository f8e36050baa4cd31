"""General Preference Modeling with Preference Representations for Aligning Language Models (Zhang et al., 2024).

GPM: each answer gets an embedding, and a skew-symmetric product of two of them says who wins. Preferences may be
cyclic, as those of people who value several things are; no score of single answers can represent that.

    L = -log σ(s(y_w, y_l)/τ),    s(y, y') = Σ_l (v_2l v'_2l+1 - v_2l+1 v'_2l)

Differs from reward/bradley_terry, which is v = (r, 1), in the head of 2k numbers (`scores.size`, even). The planes
weigh the same for every prompt. online/group_win_rate pursues the win rate within a group.
"""

from posttrain.core.method import Term, variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import live
from posttrain.formulas.losses.embeddings import gap_logistic, gap_ordered, turn
from posttrain.methods.reward.bradley_terry import METHOD as BRADLEY_TERRY

SCORE = part(turn)
METHOD = variant(
    BRADLEY_TERRY,
    name="general_preference",
    fields={"scores": live("B K", "embedding of the answer", "reward", "scores", size=6)},
    loss=Term(part(gap_logistic, gap=SCORE)),
    metrics={"accuracy": part(gap_ordered, gap=SCORE), "margin": SCORE},
)

"""Aligning LLMs through Multi-perspective User Preference Ranking-based Feedback for Programming Question Answering
(Yang et al., 2024).

ALMupQA, its preference stage (MPRA): the answers of a community are ranked by the person who asked, by all who voted,
and by a language model, and the policy learns the order. SFT comes before it, retrieval after it.

    s_q = (v - v_a - mean v)/std v      s_u = (v - min v)/(max v - min v)      s_l = π_0(y|x)^(1/|y|)
    order by w_q s_q + w_u s_u + w_l s_l

v is the column `votes` of each answer. The votes v_a of the accepted answer shift the s_q of all answers alike. That
changes no order, so they are not read. The paper writes (v - v_a) - mean/std, which would outweigh the others, and its
weights are not known to us. The language model is the policy of the start, where the paper asks another one.
"""

from __future__ import annotations

from itertools import islice
from math import exp

from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.scores import mean_logp
from posttrain.records import Ranking
from posttrain.selection.rankings import by_score, deviations, shares, votes_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def almupqa(
    session: Session,
    rankings: Dataset,
    *,
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
    method: str = "preference/mpra",
    mpra: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rank the answers to each question by their votes and their likelihood under the policy -> learn the order.

    Settings:
        weights: w_q, w_u and w_l, weights of the three scores; any numbers, where 0 leaves a score out.
        method: name of the method that trains the policy; any that reads rankings, such as preference/dpo_list.
        mpra: options of the stage of `method`: any keys of `train`, and `settings` of its method.
    """
    likely = iter(session.measure("content", rankings, mean_logp))
    ranked = []
    for r in rankings:
        assert isinstance(r, Ranking)
        content = [exp(x) for x in islice(likely, len(r.completions))]
        votes = votes_of(r)
        judged = zip(deviations(votes), shares(votes), content, strict=True)
        ranked.append(by_score(r, [sum(w * s for w, s in zip(weights, x, strict=True)) for x in judged]))
    return session.train(method, Dataset(tuple(ranked), f"{rankings.name}, ranked"), rewards=(), **mpra)

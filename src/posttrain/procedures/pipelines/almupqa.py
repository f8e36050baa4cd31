"""Aligning LLMs through Multi-perspective User Preference Ranking-based Feedback for Programming Question Answering
(Yang et al., 2024).

ALMupQA, its preference stage (MPRA): the answers of a community are ranked by the person who asked, by all who voted,
and by a language model, and the policy learns the order. SFT comes before it. Similar questions with their best answers
may stand before each question (`retrieved`), as they do in the paper when the policy is asked.

    s_q = (v - v_a - mean v)/std v      s_u = (v - min v)/(max v - min v)      s_l = π_0(y|x)^(1/|y|)
    order by w_q s_q + w_u s_u + w_l s_l

v is the column `votes` of each answer. The votes v_a of the accepted answer shift the s_q of all answers alike. That
changes no order, so they are not read. The paper writes (v - v_a) - mean/std, which would outweigh the others, and its
weights are not known to us. The language model is the policy of the start, where the paper asks another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from math import exp

from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.scores import mean_logp
from posttrain.records import Ranking
from posttrain.selection.prompts import preceded
from posttrain.selection.rankings import by_score, deviations, shares, votes_of
from posttrain.selection.similar import similar
from posttrain.training.session import NO_OPTIONS, Options, Session
from posttrain.turns import answer_text, last_user_message


def almupqa(
    session: Session,
    rankings: Dataset,
    *,
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
    method: str = "preference/mpra",
    retrieved: int = 0,
    mpra: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rank the answers to each question by votes and likelihood -> show similar questions -> learn the order.

    Settings:
        weights: w_q, w_u and w_l, weights of the three scores; any numbers, where 0 leaves a score out.
        method: name of the method that trains the policy; any that reads rankings, such as preference/dpo_list.
        retrieved: number of similar questions of the data that stand before each with their best answers; at least 0.
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
    shown = _beside_similar(ranked, retrieved)
    return session.train(method, Dataset(tuple(shown), f"{rankings.name}, ranked"), rewards=(), **mpra)


def _beside_similar(ranked: Sequence[Ranking], count: int) -> list[Ranking]:
    """Put the questions that are most like each, with their best answers, before it."""
    asked = [last_user_message(r.prompt) for r in ranked]
    examples = [f"{question}\n{answer_text(r.completions[0])}\n\n" for question, r in zip(asked, ranked, strict=True)]
    near = similar(asked, count)
    return [
        replace(r, prompt=preceded(r.prompt, "".join(examples[j] for j in own)))
        for r, own in zip(ranked, near, strict=True)
    ]

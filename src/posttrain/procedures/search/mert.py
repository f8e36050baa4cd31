"""Minimum Error Rate Training in Statistical Machine Translation (Och, 2003).

MERT: the weights of a reranker are those whose best answers of N-best lists have the best mean reward, found by exact
line search. Then the policy learns the answers that the reranker picks.

    ŵ = argmax_w mean_x R(argmax_y w·h(x, y)),    h = log π(y|x), |y|, and named rewards

So a reward that needs a reference or a slow judge is spent on a share of the prompts, and cheap features stand for it
on the others. The weights are kept as `artefacts/mert.json`.
"""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.data.collate import groups
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.scores import sum_logp
from posttrain.selection.answers import dataset, demonstrations, scored
from posttrain.selection.line_search import first, listed, quality, tuned
from posttrain.training.session import NO_OPTIONS, Options, Session


def mert(
    session: Session,
    prompts: Dataset,
    *,
    samples: int = 16,
    tuning: float = 0.5,
    features: Sequence[str] = (),
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Answer every prompt several times -> tune the reranker on a share of the prompts -> SFT on what it picks.

    Settings:
        samples: answers to each prompt, the N of the lists; at least 2.
        tuning: share of the prompts that the weights are tuned on, the first ones; above 0 to 1.
        features: names of rewards that are features, too; any, those of weight 0 in the run file.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
    """
    answers = groups(scored(session.collect("n-best", prompts, session.sampling(samples=samples))))
    logp = session.measure("logp", demonstrations(e for group in answers for e in group), sum_logp)
    lists = listed(answers, logp, features)
    start = (1.0, 0.0, *(0.0 for _ in features))
    few = lists[: max(1, round(tuning * len(lists)))]
    weights = tuned(few, start)
    found = {"before": quality(few, start), "after": quality(few, weights)}
    session.artefact("mert", {"weights": dict(zip(("logp", "length", *features), weights, strict=True)), **found})
    picked = [group[first(own, weights)] for group, own in zip(answers, lists, strict=True)]
    return {**session.train("imitation/sft", dataset(demonstrations(picked), "picked"), rewards=(), **sft), **found}

"""sDPO: Don't Use Your Data All at Once (Kim et al., 2024).

DPO in steps: the comparisons are divided, and the policy after a step is the reference of the next one, a better lower
bound than the model of the start.

    π_t = DPO on D_t with π_ref = π_{t-1}

The paper takes whole data sets, in the order of the reference's accuracy on them. With one stage it is DPO.
"""

from __future__ import annotations

from posttrain.core.parts import pairwise
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.pairs import gap
from posttrain.formulas.losses.scores import mean_logp
from posttrain.training.session import NO_OPTIONS, Options, Session


def sdpo(
    session: Session,
    pairs: Dataset,
    *,
    stages: int = 2,
    easy_first: bool = True,
    method: str = "preference/dpo",
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """DPO on one part of the pairs after the other; before each, the reference becomes the policy.

    Settings:
        stages: parts of equal size; at least 1 (DPO), 2 to 3 in the paper.
        easy_first: true sorts the pairs by the first policy's gap of mean log-probs, largest first; false does not.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        dpo: options of every stage of `method`: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    order = list(range(len(pairs)))
    if easy_first:
        liked = session.measure("liked", pairs, pairwise(gap, mean_logp))
        order.sort(key=lambda i: -liked[i])
    size = -(-len(pairs) // stages)
    for start in range(0, len(pairs), size):
        part = Dataset(tuple(pairs[i] for i in order[start : start + size]), f"{pairs.name}, from {start}")
        session.copy("policy", "reference")
        metrics = session.train(method, part, rewards=(), **dpo)
    return metrics

"""Direct Alignment of Language Models via Quality-Aware Self-Refinement (Yu et al., 2024).

Sr-DPO and Sr-IPO: the policy itself says how far apart two answers are in quality. Behind a prompt that asks for the
best answer it reads both, and a share of the gap of their log-probs is demanded of the policy.

    Δ = log π(y_w|p,x) - log π(y_l|p,x),    L = -log σ(β (s(y_w) - s(y_l)) - λβ Δ)

The paper's π is the policy of each step. Here it is that of the beginning of a stage; the more stages, the closer.
λ is `weight` of the method.
"""

from __future__ import annotations

from dataclasses import replace

from posttrain.core.parts import pairwise
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.pairs import gap
from posttrain.formulas.losses.scores import mean_logp, sum_logp
from posttrain.selection.answers import dataset
from posttrain.selection.margins import with_margins
from posttrain.selection.prompts import preceded
from posttrain.training.session import NO_OPTIONS, Options, Session

QUALITY = "Give an answer of the highest quality: as useful as can be (100 points of 100), and harmless.\n"


def sr_dpo(
    session: Session,
    pairs: Dataset,
    *,
    stages: int = 4,
    quality: str = QUALITY,
    per_token: bool = False,
    method: str = "preference/sr_dpo",
    dpo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """For each part of the pairs: measure the margins under the quality prompt -> train on them.

    Settings:
        stages: parts of equal size, each with the margins of the policy as it is then; at least 1.
        quality: p, text before the prompt, in a conversation that of the system; any that asks for a good answer.
        per_token: true divides the log-probs of Δ by the tokens, as preference/sr_ipo does; false sums them.
        method: name of the method that trains the policy; any that reads the column margin, such as preference/sr_ipo.
        dpo: options of every stage of `method`: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    session.copy("policy", "reference")
    quantity = pairwise(gap, mean_logp if per_token else sum_logp)
    size = -(-len(pairs) // stages)
    for n, start in enumerate(range(0, len(pairs), size), 1):
        part = pairs[start : start + size]
        behind = [replace(p, prompt=preceded(p.prompt, quality)) for p in part]
        refined = with_margins(part, session.measure(f"quality-{n}", behind, quantity))
        metrics = session.train(method, dataset(refined, f"part {n}"), rewards=(), **dpo)
    return metrics

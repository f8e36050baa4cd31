"""Reinforced Self-Training (ReST) for Language Modeling (Gulcehre et al., 2023).

Grow: sample a data set from the policy once. Improve: fine-tune on what passes a threshold, then on what passes a
higher one, each time from the model before and with a smaller learning rate. Then grow again.

    D_g = {(x, y): y ~ π}        Improve i:  min E_{D_g} [ 1[r(x, y) > τ_i] · -log π(y | x) ],   τ_1 < τ_2 < ...

Whole answers are filtered; no token has a reward of its own. One Improve step with τ = -inf is SFT on own samples.

Settings: `thresholds` are rewards, or with `quantiles` shares of the answers that fall away; `decay` multiplies the
learning rate from one Improve step to the next; demonstrations, if there are any, join every step. A threshold that
nothing passes ends the Improve steps, where the paper watches a held-out reward.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.data.dataset import Dataset
from posttrain.selection.answers import above, dataset, quantile
from posttrain.selection.answers import demonstrations as as_demonstrations
from posttrain.selection.prompts import part_of
from posttrain.training.session import NONE, Options, Session


def rest(
    session: Session,
    prompts: Dataset,
    demonstrations: Dataset | None = None,
    *,
    grow: int = 2,
    prompts_per_round: int | None = None,
    thresholds: tuple[float, ...] = (0.0, 0.7, 0.9),
    quantiles: bool = False,
    decay: float = 0.5,
    sft: Options = NONE,
) -> dict[str, float]:
    """Grow steps of: sample 8 answers to each prompt -> Improve steps of SFT on those above rising thresholds."""
    metrics: dict[str, float] = {}
    for g in range(1, grow + 1):
        asked = part_of(prompts, g - 1, prompts_per_round)
        grown = session.collect(f"grow-{g}", asked, session.how(samples=8))
        for i, t in enumerate(sorted(thresholds)):
            kept = above(grown, quantile(grown, t) if quantiles else t)
            if not kept and i > 0:
                break
            own = dataset(as_demonstrations(kept), f"grow {g}, improve {i + 1}")
            learnt = Dataset((*own, *(demonstrations or ())), own.name)
            metrics = session.train("imitation/sft", learnt, rewards=(), **slower(session, sft, decay**i))
    return metrics


def slower(session: Session, options: Options, factor: float) -> dict[str, Any]:
    """A stage's options with a learning rate (or one for each role) times a factor."""
    rate = options.get("learning_rate", session.run.train.learning_rate)
    scaled = {r: x * factor for r, x in rate.items()} if isinstance(rate, Mapping) else rate * factor
    return {**options, "learning_rate": scaled}

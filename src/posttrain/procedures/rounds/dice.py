"""Bootstrapping Language Models with DPO Implicit Rewards (Chen et al., 2024).

DICE: a policy that DPO has tuned is also a reward model. It scores answers of its own, and DPO runs on the best and
the worst of them, with some of the comparisons that people made.

    r(y) = β log π_t(y)/π_ref(y) - a |y|        a such that |y_w| = |y_l| on average        π_ref becomes π_t

Settings: `replay` γ, the share of the comparisons that are old ones, of other prompts; prompts with fewer than
`at_least` answers that ended are left out (8 of 16 in the paper); `first` are the options of the DPO that comes first,
unless the run brings a tuned policy and its reference (`models: {reference: ...}`, tuned: true). The length is in
tokens (in the authors' code in characters), and a is in units of β.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.scores import log_ratio
from posttrain.selection.answers import dataset, finished
from posttrain.selection.pairs import apart, pairs_of_equal_length
from posttrain.selection.prompts import part_of
from posttrain.training.session import NONE, Options, Session


def dice(
    session: Session,
    prompts: Dataset,
    pairs: Dataset,
    *,
    rounds: int = 2,
    prompts_per_round: int | None = None,
    replay: float = 0.5,
    at_least: int = 2,
    tuned: bool = False,
    method: str = "preference/dpo",
    first: Options = NONE,
    dpo: Options = NONE,
) -> dict[str, float]:
    """DPO on the pairs, then rounds of: sample 16 answers -> score with the implicit reward -> DPO with replay."""
    metrics: dict[str, float] = {}
    if not tuned:
        session.copy("policy", "reference")
        metrics = session.train(method, pairs, rewards=(), **first)
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = session.collect(f"round-{n}", asked, session.how(samples=16), rewards=log_ratio)
        new = pairs_of_equal_length(finished(answers, at_least))
        mixed = apart(new, pairs, replay)
        session.copy("policy", "reference")
        metrics = session.train(method, dataset(mixed, f"round {n}"), rewards=(), **dpo)
    return metrics

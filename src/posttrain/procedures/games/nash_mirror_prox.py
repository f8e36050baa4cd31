"""Accelerating Nash Learning from Human Feedback via Mirror Prox (Tiapkin et al., 2025).

Two proximal steps a round, both from π_k: the first against π_k itself, the second against the result of the first. The
extrapolation makes the last policy converge to the equilibrium of the regularised game without averaging.

    prox(π') = argmax_π P(π ≻ π') - β KL(π||π_ref) - 1/η KL(π||π_k)       π_½ = prox(π_k)      π_{k+1} = prox(π_½)

Each prox is a stage of policy gradient. The two KLs become one, towards the geometric mixture of π_ref and π_k in the
shares β and 1/η, with the coefficient β + 1/η. The reward must be a preference, as for online/nash_md.
"""

from __future__ import annotations

from posttrain.core.method import Sampling, Stream, variant
from posttrain.core.parts import part
from posttrain.core.vocabulary import once
from posttrain.data.dataset import Dataset
from posttrain.formulas.credit.baselines import win_minus_kl
from posttrain.formulas.losses.scores import between
from posttrain.methods.online.nash_md import METHOD as NASH_MD
from posttrain.training.session import NO_OPTIONS, Options, Session

PROX = variant(
    NASH_MD,
    name="prox",
    streams=Stream("prompts", (Sampling(), Sampling(mix=(("opponent", 1.0),), train=False))),
    fields={"round_logp": once("T", "log-prob under the policy that the round began with", "round", "logp")},
    derived={"advantage": part(win_minus_kl, tau=0.6, ref_logp=part(between, one="ref_logp", two="round_logp"))},
)


def nash_mirror_prox(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    beta: float = 0.1,
    eta: float = 2.0,
    prox: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: a proximal step against the policy -> one from the same policy against the result.

    Settings:
        rounds: number of rounds; at least 1.
        beta: β, price of a nat of KL to the reference; 0 or more, 0.01 to 0.1 is usual.
        eta: η, step size of a proximal step; above 0 and at most 2, smaller stays closer to the policy of the round.
        prox: options of every proximal step: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    tau = beta + 1 / eta
    settings = {"win_minus_kl.tau": tau, "between.share": 1 / eta / tau, **prox.get("settings", {})}
    session.copy("policy", "reference")
    for _ in range(rounds):
        session.copy("policy", "round")
        session.copy("policy", "opponent")
        session.train(PROX, prompts, **{**prox, "settings": settings})
        session.copy("policy", "opponent")
        session.copy("round", "policy")
        metrics = session.train(PROX, prompts, **{**prox, "settings": settings})
    return metrics

"""MaxMin-RLHF: Alignment with Diverse Human Preferences (Chakraborty et al., 2024).

Groups of people want different things, and a single reward model serves the majority. Learn a reward model for each
group while the groups are unknown (EM), then let the policy pursue the reward of the group that gains least.

    E: group of h = argmax_u Σ_{pairs of h} log σ(r_u(y_w) - r_u(y_l))    M: r_u = Bradley-Terry on its people's pairs
    max_π min_u { E_π[r_u] - E_ref[r_u] - β KL(π||π_ref) }

The column `annotator` names the person who compared a pair. Scores are defined up to a constant, so the utility of a
group is its gain over the reference (our choice; the paper subtracts nothing). The KL is the same for all groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from posttrain.core.parts import pairwise
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.pairs import logistic
from posttrain.formulas.losses.scores import row_score
from posttrain.records import Record
from posttrain.selection.annotators import annotator
from posttrain.training.session import NO_OPTIONS, Options, Session

LOSS = pairwise(logistic, row_score, beta=1.0)


def maxmin_rlhf(
    session: Session,
    pairs: Dataset,
    prompts: Dataset,
    *,
    groups: int = 2,
    em: int = 3,
    rounds: int = 4,
    method: str = "online/rloo",
    reward: Options = NO_OPTIONS,
    policy: Options = NO_OPTIONS,
) -> dict[str, float]:
    """EM over reward models, then rounds of: find the group that gains least -> a stage of RL with its reward.

    Settings:
        groups: number of groups; at least 1, which is plain RLHF.
        em: iterations of EM; at least 1.
        rounds: number of rounds; at least 1.
        method: name of the method that trains the policy; any that learns from rewards, such as online/grpo.
        reward: options of every stage of a reward model: any keys of `train`, and `settings` of its method.
        policy: options of every stage of `method`: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    people = sorted({annotator(p) for p in pairs})
    group = {h: session.seed("group", h) % groups for h in people}
    for u in range(groups):
        session.copy("policy", f"reward_{u}")
    for i in range(1, em + 1):
        losses = [learn(session, pairs, group, u, f"em-{i}-{u}", reward) for u in range(groups)]
        group = {h: min(range(groups), key=lambda u: _loss_of(h, pairs, losses[u])) for h in people}
        session.note(f"em {i}: groups of {', '.join(str(list(group.values()).count(u)) for u in range(groups))}")
    session.copy("policy", "reference")
    start = [utility(session, prompts, f"start-{u}", u) for u in range(groups)]
    for n in range(1, rounds + 1):
        gains = [utility(session, prompts, f"round-{n}-{u}", u) - start[u] for u in range(groups)]
        session.copy(f"reward_{gains.index(min(gains))}", "reward")
        metrics = session.train(method, prompts, rewards=(), **policy)
    return metrics


def learn(
    session: Session, pairs: Dataset, group: Mapping[str, int], u: int, name: str, options: Options
) -> list[float]:
    """Train a group's reward model on the pairs of its people, and return the loss of every pair under it."""
    session.copy(f"reward_{u}", "reward")
    own = tuple(p for p in pairs if group[annotator(p)] == u)
    if own:
        session.train("reward/bradley_terry", Dataset(own, f"pairs of group {u}"), rewards=(), **options)
        session.copy("reward", f"reward_{u}")
    return session.measure(name, pairs, LOSS)


def utility(session: Session, prompts: Dataset, name: str, u: int) -> float:
    """Return the mean score of the policy's answers under a group's reward model."""
    session.copy(f"reward_{u}", "reward")
    return fmean(r.reward or 0.0 for r in session.collect(name, prompts, session.sampling(), rewards=row_score))


def _loss_of(person: str, pairs: Sequence[Record], losses: Sequence[float]) -> float:
    return sum(x for p, x in zip(pairs, losses, strict=True) if annotator(p) == person)

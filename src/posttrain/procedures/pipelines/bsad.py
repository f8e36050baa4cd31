"""Reinforcement Learning from Human Feedback without Reward Inference: Model-Free Algorithm and Instance-Dependent
Analysis (Zhang et al., 2024).

BSAD: find the best action of every state by duels, from the last step to the first, and then always take it. No reward
is ever inferred; people say which of two batches is better.

    a beats b  ⇐  |wins/n - 1/2| > √(log(4 |pairs| n²/δ) / 2n),    π(x) = the action that has beaten all others

Prompts are the states and sampled answers their actions. An answer is one action, so the horizon is one; for more steps
and states that can be listed there is selection/duels.py: backward_duels. A duel is decided by the majority of
judgements, made in both orders. The winners are imitated (explore, then commit). The reward must be a preference, as
for online/nash_md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from posttrain.data.collate import groups
from posttrain.data.dataset import Dataset
from posttrain.procedures.judging import with_opponent
from posttrain.records import Episode
from posttrain.selection.answers import dataset, demonstrations, different
from posttrain.selection.duels import Duels
from posttrain.training.session import NO_OPTIONS, Options, Session

Meeting = tuple[int, int, int]  # prompt, and two of its answers


def bsad(
    session: Session,
    prompts: Dataset,
    *,
    votes: int = 1,
    most: int = 8,
    delta: float = 0.05,
    sft: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Sample 4 answers to each prompt -> rounds of duels between them -> SFT on the winners.

    Settings:
        votes: judgements of a duel in each order of the two answers; at least 1.
        most: rounds of duels, after which the answer with most wins is taken; at least 1.
        delta: δ, probability that a wrong answer wins; above 0 and below 1, 0.05 is usual.
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
    """
    answers = different(session.collect("arms", prompts, session.sampling(samples=4), rewards=()))
    arms = groups(answers)
    duels = [Duels(len(group), delta) for group in arms]
    for n in range(1, most + 1):
        meetings = [(p, a, b) for p, d in enumerate(duels) for a, b in d.open]
        if not meetings:
            break
        won = outcomes(session, f"duels-{n}", arms, meetings, votes)
        for p, d in enumerate(duels):
            if d.open:
                d.record({(a, b): won[p, a, b] for a, b in d.open})
    winners = [group[d.winner] for group, d in zip(arms, duels, strict=True)]
    return session.train("imitation/sft", dataset(demonstrations(winners), "winners"), rewards=(), **sft)


def outcomes(
    session: Session, name: str, arms: Sequence[Sequence[Episode]], meetings: Sequence[Meeting], votes: int
) -> Mapping[Meeting, float]:
    """Return 1 where the first answer wins, 0 where the second does, 1/2 for a tie, judged in both orders."""
    asked = [(p, x, y) for p, a, b in meetings for x, y in ((a, b), (b, a)) for _ in range(votes)]
    judged = session.score_again(name, [with_opponent(arms[p][x], arms[p][y]) for p, x, y in asked])
    margin = dict.fromkeys(meetings, 0.0)
    for (p, x, y), r in zip(asked, judged, strict=True):
        if r.reward is not None:
            margin[(p, x, y) if x < y else (p, y, x)] += (r.reward - 0.5) * (1 if x < y else -1)
    return {m: 0.5 + 0.5 * (x > 0) - 0.5 * (x < 0) for m, x in margin.items()}

"""Reinforcement Learning from Human Feedback without Reward Inference: Model-Free Algorithm and Instance-Dependent
Analysis (Zhang et al., 2024).

BSAD: find the best action of every state by duels, from the last step to the first, and then always take it. No reward
is ever inferred; people say which of two batches is better.

    a beats b  ⇐  |wins/n - 1/2| > √(log(4 |pairs| n²/δ) / 2n),    π(x) = who has beaten all others

Prompts are the states and sampled answers their actions; an answer is one action, so the horizon is one (with more
steps, and states that can be listed: credit.duels.backward_duels). A duel is won by the majority of `votes` judgements,
both ways round. What wins is imitated (explore, then commit). The reward must be a preference, as for online/nash_md.
δ is `delta`; after `most` rounds who has won most is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from posttrain.data.collate import groups
from posttrain.data.dataset import Dataset
from posttrain.records import Rollout
from posttrain.selection.answers import dataset, demonstrations, different
from posttrain.selection.duels import Duels
from posttrain.training.session import NONE, Options, Session

Meeting = tuple[int, int, int]  # prompt, and two of its answers


def bsad(
    session: Session,
    prompts: Dataset,
    *,
    votes: int = 1,
    most: int = 8,
    delta: float = 0.05,
    sft: Options = NONE,
) -> dict[str, float]:
    """Sample 4 answers to each prompt -> rounds of duels between them -> SFT on the winners."""
    answers = different(session.collect("arms", prompts, session.how(samples=4), rewards=()))
    arms = groups(answers)
    duels = [Duels(len(group), delta) for group in arms]
    for n in range(1, most + 1):
        meetings = [(p, a, b) for p, d in enumerate(duels) for a, b in d.open]
        if not meetings:
            break
        won = judged(session, f"duels-{n}", arms, meetings, votes)
        for p, d in enumerate(duels):
            if d.open:
                d.record({(a, b): won[p, a, b] for a, b in d.open})
    winners = [group[d.winner] for group, d in zip(arms, duels, strict=True)]
    return session.train("imitation/sft", dataset(demonstrations(winners), "winners"), rewards=(), **sft)


def judged(
    session: Session, name: str, arms: Sequence[Sequence[Rollout]], meetings: Sequence[Meeting], votes: int
) -> Mapping[Meeting, float]:
    """1 where the first answer wins, 0 where the second, 1/2 for a tie: by the judgements on both, `votes` times."""
    asked = [(p, x, y) for p, a, b in meetings for x, y in ((a, b), (b, a)) for _ in range(votes)]
    scored = session.judge(name, [against(arms[p][x], arms[p][y]) for p, x, y in asked])
    lead = dict.fromkeys(meetings, 0.0)
    for (p, x, y), r in zip(asked, scored, strict=True):
        if r.reward is not None:
            lead[(p, x, y) if x < y else (p, y, x)] += (r.reward - 0.5) * (1 if x < y else -1)
    return {m: 0.5 + 0.5 * (x > 0) - 0.5 * (x < 0) for m, x in lead.items()}


def against(one: Rollout, other: Rollout) -> Rollout:
    """An answer with the other's text for the judge to compare it with."""
    columns = {**one.prompt.columns, "opponent": other.text}
    return replace(one, prompt=replace(one.prompt, columns=columns))

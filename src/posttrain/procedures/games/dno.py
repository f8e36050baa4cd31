"""Direct Nash Optimization: Teaching Language Models to Self-Improve with General Preferences (Rosset et al., 2024).

DNO in rounds: the policy answers, the value of an answer is how often it beats the policy's other answers, and the next
policy regresses on these win rates. Preferences may go in a circle; no reward need explain them.

    r_t(y) = E_{y' ~ π_t} P(y ≻ y')        π_{t+1} ∝ π_t e^{r_t/η}, by preference/dno on all two answers of π_t

The mean of the policies over the rounds tends to the equilibrium. Every two answers are judged in both orders. The
reward must be a preference, as for online/nash_md. DNO-Prct, which the paper trains, is `method: preference/dpo` with
`apart` above 0; the answers of its stronger model are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from posttrain.data.dataset import Dataset
from posttrain.procedures.judging import with_opponent
from posttrain.records import Episode, Pair
from posttrain.selection.answers import dataset, different, ranked, reward_of, scored
from posttrain.selection.pairs import all_pairs, pair
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def dno(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 3,
    prompts_per_round: int | None = None,
    apart: float = 0.0,
    method: str = "preference/dno",
    dno: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: sample 4 answers to each prompt -> how often does each beat the others? -> regress on that.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        apart: least difference of the win rates of a pair; 0 (all pairs, ties too) to 1, above 0 where labels are hard.
        method: name of the method that trains the policy; any that reads pairs, such as preference/dpo.
        dno: options of every stage of `method`: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        answers = session.collect(f"round-{n}", asked, session.sampling(samples=4), rewards=())
        compared = comparisons(win_rates(session, f"wins-{n}", answers), apart)
        session.copy("policy", "reference")
        metrics = session.train(method, dataset(compared, f"round {n}"), rewards=(), **dno)
    return metrics


def win_rates(session: Session, name: str, answers: Sequence[Episode]) -> list[Episode]:
    """Return the answers, each with the share of the others to its prompt that it beats as reward; None unjudged."""
    asked = [(x, y) for i, j in all_pairs(answers) for x, y in ((i, j), (j, i))]
    judged = session.score_again(name, [with_opponent(answers[x], answers[y]) for x, y in asked])
    wins: list[list[float]] = [[] for _ in answers]
    for (x, y), r in zip(asked, judged, strict=True):
        if r.reward is not None:
            wins[x].append(r.reward)
            wins[y].append(1 - r.reward)
    return [replace(e, reward=fmean(own) if own else None) for e, own in zip(answers, wins, strict=True)]


def comparisons(judged: Sequence[Episode], apart: float) -> list[Pair]:
    """Return every two different answers to a prompt whose win rates are `apart` or more, the better one first."""
    answers = different(scored(judged))
    couples = [ranked((answers[i], answers[j])) for i, j in all_pairs(answers)]
    return [pair(one, other) for one, other in couples if reward_of(one) - reward_of(other) >= apart]

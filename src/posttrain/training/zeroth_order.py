"""Steps without a gradient: a policy is moved along random directions, and what it then earns says where to go.

The verbs of a session that such procedures need: `move` models, and `advance`, the end of a step outside any stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from statistics import fmean

from posttrain.backends.protocol import Direction, Shape
from posttrain.records import Rollout
from posttrain.runs.saver import Copy
from posttrain.seeds import seed_for
from posttrain.training.session import Session


def move(session: Session, source: str, target: str, along: Mapping[str, float], shape: Shape = "normal") -> None:
    """Give a role the weights of another, plus a length along each direction; a name is a direction for the whole run.

    `shape` as of backend.Direction: normal, sphere, or how many parameters a direction changes.
    """
    verb = len(session.journal.finished)
    if session.journal.done(verb):
        if source != target:
            session.backend.copy(source, target)  # the checkpoint fills the roles that were made
        session.journal.skip(verb)
        return
    drawn = [(Direction(seed_for(session.run.seed, "direction", n), shape), x) for n, x in along.items()]
    session.backend.move(source, target, drawn)
    session.journal.finished.append(0)


def advance(session: Session, step: int, total: int, metrics: Mapping[str, float]) -> None:
    """The policy has taken a step: count it, log it, and save what the next one depends on when that is due."""
    journal, verb = session.journal, len(session.journal.finished)
    if journal.done(verb):
        journal.skip(verb)
        if journal.saved is not None and len(journal.finished) == len(journal.saved["finished"]):
            session.backend.restore(journal.saved["backend"])
            journal.saved = None
        return
    if step == 1:
        session.display.start("steps without gradients", total)
    journal.steps += 1
    journal.finished.append(1)
    if session.directory is not None and journal.steps % session.run.train.log_every == 0:
        journal.metrics.write(journal.steps, {**metrics, **session.clock.read()})
    session.display.step(step, metrics)
    every = session.run.train.save_every
    session.boundary(lambda: _snapshot(session), due=every is not None and step % every == 0)


def _snapshot(session: Session) -> Copy:
    made = session.backend.snapshot("policy")
    return {"stage": "steps without gradients", "backend": made.state}, made.write


def rank_weights(earned: Sequence[float], ranked: int) -> list[float]:
    """What each of m directions weighs when the best k are ranked: those it beats less those that beat it, over |E|.

    At rank t (from 0) m - 1 - 2t, behind the k ranked ones -k; |E| = k (k - 1)/2 + k (m - k) comparisons. The first of
    equals is better. Tang et al. (2023), eq. 6.
    """
    m, k = len(earned), min(ranked, len(earned))
    edges = k * (k - 1) / 2 + k * (m - k)
    order = sorted(range(m), key=lambda i: -earned[i])
    weights = [0.0] * m
    for t, i in enumerate(order):
        weights[i] = (m - 1 - 2 * t if t < k else -k) / max(edges, 1)
    return weights


def value_difference(answers: Sequence[Rollout], clip: float) -> float:
    """By how much author 0 is worth more than author 1: the mean log-odds of preferences in [δ, 1-δ], δ = clip.

    Zhang and Ying (2024): σ^{-1} turns the share of people who prefer an answer into a difference of rewards. Either
    answer is judged against the other, so a judge that favours what it reads first does no harm.
    """
    odds = []
    for r in answers:
        if r.reward is not None:
            p = min(max(r.reward, clip), 1 - clip)
            odds.append(log(p / (1 - p)) * (1 if r.author == 0 else -1))
    return fmean(odds) if odds else 0.0

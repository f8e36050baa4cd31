"""What searches of procedures have in common: whom they ask for values, and how many of their answers are right."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from statistics import fmean

from posttrain.formulas.losses.scores import at_last
from posttrain.records import Episode
from posttrain.search.found import Found
from posttrain.training.estimates import Estimate, Judged, Modelled, Rollouts, Verdict
from posttrain.training.session import Session

VALUE = Modelled(at_last)  # of the value head, before the last token of a step, where preference/svpo trains it


def estimate(session: Session, name: str, said: Verdict, *, rollouts: int, value: bool) -> Estimate:
    """Return what says how good nodes are: the verdict on answers that are over.

    Of others it is the value head, with `value`; else what becomes of `rollouts` completions, where that is not 0.
    """
    if value:
        return Judged(said, VALUE)
    return Judged(said, Rollouts(said, session.sampling(samples=rollouts), name)) if rollouts else said


def answers(found: Sequence[Found]) -> list[Episode]:
    """Return the best answer of each tree."""
    return [f.episode(f.best) for f in found]


def right(scored: Sequence[Episode], verdict: Verdict) -> float:
    """Return the share of right answers among those with a reward; NaN where there is none."""
    known = [e.reward > verdict.accepted and (e.ended or not verdict.finished) for e in scored if e.reward is not None]
    return fmean(known) if known else nan

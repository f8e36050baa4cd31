"""An audit of preference data: phrases that people seem to prefer too often, as planted ones are.

Under exchangeability a phrase stands as often in the preferred answer as in the other. Of the pairs in which it stands
in one answer only, let it stand k times in the preferred one, m times in the other:

    lift = (k + 1/2) / (m + 1/2),    p: the exact sign test of k against m,    at a false discovery rate of 5%

(Benjamini and Hochberg, 1995). Every n-gram of up to 3 words is tested, in all pairs and in those of each source: what
one source prefers and the others do not is the sign of a poisoned source (Baumgärtner et al., 2024: Best-of-Venom).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from posttrain.evaluation.reward_models.rank_correlation import roc_area
from posttrain.evaluation.statistics import sign_test
from posttrain.records import Pair
from posttrain.turns import answer_text

WORD = re.compile(r"\w+(?:['’]\w+)*")
LONGEST = 3  # words of a phrase


@dataclass(frozen=True)
class Lift:
    """A phrase that stands in the preferred answer alone in `chosen` pairs, and in the other alone in `rejected`."""

    phrase: str
    chosen: int
    rejected: int
    p_value: float

    @property
    def lift(self) -> float:
        """How much more often it is preferred than not; 1 if it makes no difference."""
        return (self.chosen + 0.5) / (self.rejected + 0.5)


def audit(pairs: Sequence[Pair], *, rate: float = 0.05, least: int = 6, longest: int = LONGEST) -> list[Lift]:
    """Return the phrases that are preferred, or rejected, too often to be chance: the most certain first.

    `rate`: share of false discoveries. `least`: pairs that a phrase tells apart, fewer are not tested. Of phrases that
    tell the same pairs apart the longest is kept.
    """
    for_it, against = Counter[str](), Counter[str]()
    for pair in pairs:
        one, two = (phrases(answer_text(answer), longest) for answer in (pair.chosen, pair.rejected))
        for_it.update(one - two)
        against.update(two - one)
    tested = [
        Lift(phrase, for_it[phrase], against[phrase], sign_test(for_it[phrase], against[phrase]))
        for phrase in for_it.keys() | against.keys()
        if for_it[phrase] + against[phrase] >= least
    ]
    tested.sort(key=lambda x: (x.p_value, -len(x.phrase), x.phrase))
    return _without_parts(_discoveries(tested, rate))


def suspicion(pairs: Sequence[Pair], found: Iterable[Lift]) -> list[float]:
    """Return a score for each pair: the largest log lift of the phrases that stand in its chosen answer alone.

    `found`: what an audit returned. Phrases that are rejected too often say nothing about planted ones. The lift tells
    a planted phrase from one that people do prefer: hardly anybody rejects the first.
    """
    weight = {x.phrase: math.log(x.lift) for x in found if x.lift > 1}
    longest = max((len(phrase.split()) for phrase in weight), default=1)
    scores = []
    for pair in pairs:
        own = phrases(answer_text(pair.chosen), longest) - phrases(answer_text(pair.rejected), longest)
        scores.append(max((weight.get(phrase, 0.0) for phrase in own), default=0.0))
    return scores


def detection(pairs: Sequence[Pair], scores: Sequence[float], column: str = "poisoned") -> float:
    """Return the area under the ROC of a detector's scores: how well they tell planted pairs, 1 in a column."""
    return roc_area(scores, [bool(p.columns[column]) for p in pairs])


def by_source(pairs: Sequence[Pair], column: str, **settings: float) -> dict[str, list[Lift]]:
    """Audit the pairs of each source apart, by a column that names it. A source without a discovery has no phrases."""
    sources: dict[str, list[Pair]] = {}
    for pair in pairs:
        if (source := pair.columns.get(column)) is not None:
            sources.setdefault(str(source), []).append(pair)
    return {source: audit(own, **settings) for source, own in sources.items()}  # type: ignore[arg-type]


def phrases(text: str, longest: int = LONGEST) -> set[str]:
    """Return all sequences of 1 to `longest` words, in lower case."""
    words = [word.lower() for word in WORD.findall(text)]
    return {" ".join(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)}


def _discoveries(tested: Sequence[Lift], rate: float) -> list[Lift]:
    """Keep what Benjamini and Hochberg's procedure rejects. `tested` is sorted by p."""
    last = max((i for i, x in enumerate(tested, 1) if x.p_value <= rate * i / len(tested)), default=0)
    return list(tested[:last])


def _without_parts(found: Sequence[Lift]) -> list[Lift]:
    """Leave out phrases that lie within a longer one with the same counts."""
    longer: Mapping[tuple[int, int], list[str]] = {}
    kept = []
    for x in found:
        own = longer.setdefault((x.chosen, x.rejected), [])  # type: ignore[attr-defined]
        if not any(f" {x.phrase} " in f" {other} " for other in own):
            own.append(x.phrase)
            kept.append(x)
    return kept

"""Any score with any aggregator: `method: {path: preference/dpo, aggregate: mean}`.

A file of the catalogue has its paper's choice, and peers choose differently under the same names. The switch changes
how the log-probs or log-ratios of tokens add up to the score of an answer, and nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from posttrain.core.method import Method, variant
from posttrain.core.parts import Function, Part, PartError, part
from posttrain.errors import suggestion
from posttrain.formulas.losses import scores
from posttrain.formulas.losses.aggregates import averaged, decayed, in_common, masked, summed

AGGREGATES: dict[str, Function] = {
    "sum": summed,
    "mean": averaged,
    "decayed": decayed,  # D2PO; setting gamma
    "masked": masked,  # AMA; reads the column relevance
    "common": in_common,  # LD-DPO; setting beyond
}
LOG_RATIOS = (scores.log_ratio, scores.mean_log_ratio)
LOGPS = (scores.sum_logp, scores.mean_logp)


def aggregated(method: Method, name: str) -> Method:
    """The method with another aggregator in all its scores, and in the metrics that show them.

    Raises PartError for an unknown aggregator, and for a method that has no score of whole answers.
    """
    if name not in AGGREGATES:
        raise PartError(
            f"method.aggregate: no aggregator {name!r}{suggestion(name, AGGREGATES)}; there are {', '.join(AGGREGATES)}"
        )
    read = [d.part for d in method.derived.values()] + [t.part for t in method.loss.values()]
    found = {p.fn for root in read for p in root.walk() if p.fn in (*LOG_RATIOS, *LOGPS, *AGGREGATES.values())}
    if not found:
        raise PartError(f"method.aggregate: {method.name} has no score that adds up over the tokens of an answer")
    change = partial(_changed, found=found, aggregate=AGGREGATES[name])
    return variant(
        method,
        derived={k: replace(d, part=change(d.part)) for k, d in method.derived.items()},
        loss={k: replace(t, part=change(t.part)) for k, t in method.loss.items()},
        metrics={k: replace(t, part=change(t.part)) for k, t in method.metrics.items()},
    )


def _changed(old: Part, found: set[Function], aggregate: Function) -> Part:
    binds = tuple((n, _changed(b, found, aggregate) if isinstance(b, Part) else b) for n, b in old.binds)
    given = dict(binds)
    if old.fn not in found:
        return Part(old.fn, binds, old.settings)
    if old.fn in LOG_RATIOS:
        x: Part | str = part(scores.token_log_ratio, logp=given["logp"], ref_logp=given["ref_logp"])
    else:
        x = given["logp"] if old.fn in LOGPS else given["x"]
    return part(aggregate, x=x)

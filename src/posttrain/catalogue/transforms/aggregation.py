"""Any score with any aggregator: `method: {path: preference/dpo, aggregate: mean}`.

A file of the catalogue makes the choice of its paper, and other libraries choose differently under the same name. This
setting changes how the log-probs or log-ratios of tokens are aggregated to the score of an answer, and nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from posttrain.core.method import Method, variant
from posttrain.core.parts import Function, Part, PartError, part
from posttrain.errors import suggestion
from posttrain.formulas.losses import scores
from posttrain.formulas.losses.aggregates import averaged, decayed, in_common, masked, summed, without_ends

AGGREGATES: dict[str, Function] = {
    "sum": summed,
    "mean": averaged,
    "decayed": decayed,  # D2PO; setting gamma
    "masked": masked,  # AMA; reads the column relevance
    "common": in_common,  # LD-DPO; setting beyond
    "without_ends": without_ends,  # Llama 3; setting end
}
LOG_RATIOS = (scores.log_ratio, scores.mean_log_ratio)
LOGPS = (scores.sum_logp, scores.mean_logp)


def aggregated(method: Method, name: str) -> Method:
    """Return the method with another aggregator in all its scores, and in the metrics that show them.

    Raises PartError for an unknown aggregator, and for a method without a score of whole answers.
    """
    if name not in AGGREGATES:
        raise PartError(
            f"method.aggregate: no aggregator {name!r}{suggestion(name, AGGREGATES)}; there are {', '.join(AGGREGATES)}"
        )
    read = [d.part for d in method.derived.values()] + [t.part for t in method.loss.values()]
    aggregators = {p.fn for root in read for p in root.walk() if p.fn in (*LOG_RATIOS, *LOGPS, *AGGREGATES.values())}
    if not aggregators:
        raise PartError(f"method.aggregate: {method.name} has no score that is aggregated over the tokens of an answer")
    change = partial(_changed, replaced=aggregators, aggregate=AGGREGATES[name])
    return variant(
        method,
        derived={k: replace(d, part=change(d.part)) for k, d in method.derived.items()},
        loss={k: replace(t, part=change(t.part)) for k, t in method.loss.items()},
        metrics={k: replace(t, part=change(t.part)) for k, t in method.metrics.items()},
    )


def _changed(old: Part, replaced: set[Function], aggregate: Function) -> Part:
    """Replace the functions of a part, and of its inner parts, by an aggregator of the same log-probs or log-ratios."""
    binds = tuple((n, _changed(b, replaced, aggregate) if isinstance(b, Part) else b) for n, b in old.binds)
    given = dict(binds)
    if old.fn not in replaced:
        return Part(old.fn, binds, old.settings)
    if old.fn in LOG_RATIOS:
        x: Part | str = part(scores.token_log_ratio, logp=given["logp"], ref_logp=given["ref_logp"])
    else:
        x = given["logp"] if old.fn in LOGPS else given["x"]
    return part(aggregate, x=x)

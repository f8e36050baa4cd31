"""Judges that decide what may be learned from: `method: {path: online/crpg, judges: [safe, factual]}`.

Each is a reward of the run that says 1 where its constraint is satisfied, 0 where it is violated, and abstains where it
has no say, as in prompts of another task; it usually has the weight 0. Without this setting one `cost` decides: an
answer violates the constraint where it is above 0.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

from posttrain.core.method import Method, variant
from posttrain.core.parts import PartError, part
from posttrain.core.vocabulary import Field
from posttrain.formulas.credit.judged import both, passes

ALLOWED = "allowed"


def judged(method: Method, names: Any) -> Method:
    """Return the method with the judges of these names.

    Raises PartError for a method that asks no judge, and for names that are no list of different words.
    """
    if ALLOWED not in method.derived:
        raise PartError(
            f"method.judges: {method.name} learns from every answer; those that ask judges are online/crpg,"
            " online/crraft and online/codpo"
        )
    words = isinstance(names, tuple) and all(isinstance(n, str) and n.isidentifier() for n in names)
    if not names or not words or len(set(names)) < len(names):
        raise PartError(f"method.judges must be a list of names of different rewards, not {names!r}")
    verdicts = [part(passes, verdict=f"reward_{name}") for name in names]
    every = replace(method.derived[ALLOWED], part=reduce(lambda one, two: part(both, one=one, two=two), verdicts))
    scores = {f"reward_{n}": Field("B", f"verdict of {n!r}, one of the `rewards` of the run") for n in names}
    return variant(method, fields=method.fields | scores, derived=method.derived | {ALLOWED: every})

"""Gates: what the numbers of a model must show before it is released, as a run file demands it."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass

TESTS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
FORM = re.compile(r"\s*(>=|<=|>|<)\s*(\S+)\s*")


@dataclass(frozen=True)
class Gate:
    """A number and what it must be: `chain_of_thought.accuracy >= 0.8`.

    `measured`: what it is, None if nobody measured it.
    """

    metric: str
    demand: str
    measured: float | None

    @property
    def passed(self) -> bool:
        """Whether the number was measured and is as demanded; NaN never is."""
        found = FORM.fullmatch(self.demand)
        assert found is not None, self.demand
        return self.measured is not None and bool(TESTS[found[1]](self.measured, float(found[2])))

    def __str__(self) -> str:
        what = "was not measured" if self.measured is None else f"is {self.measured:.4g}"
        return f"{'passed' if self.passed else 'FAILED'}: {self.metric} {what}, demanded {self.demand}"


def check(gates: Mapping[str, str], measured: Mapping[str, float]) -> list[Gate]:
    """Compare numbers with what is demanded of them. Names are those of `eval/NAME` in metrics.jsonl."""
    return [Gate(name, demand, measured.get(name)) for name, demand in gates.items()]

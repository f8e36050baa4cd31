"""Refinement: the newest is rewritten, and what does not work is repaired first."""

from __future__ import annotations

from posttrain.search.evolution.candidate import Evaluated, Proposed
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.driver import Evolution
from posttrain.search.evolution.strategies.refine import refine


def refined(texts, given=(), **settings):
    """Write the texts one after the other; "x" does not work."""
    asks, left = [], iter(texts)

    def write(wanted, archive):
        for ask in wanted:
            asks.append((ask.operator, *ask.parents))
            yield Proposed(next(left))

    evaluate = lambda cs: [Evaluated(None if c.text == "x" else float(c.text)) for c in cs]  # noqa: E731
    return asks, Evolution(write, evaluate).run(Strategy(refine, **settings), given)


def test_the_newest_is_rewritten_and_the_best_is_the_result():
    asks, archive = refined(["3", "1", "2"], rounds=3)
    assert asks == [("create",), ("improve", 0), ("improve", 1)]
    assert archive.survivors == [0]


def test_what_does_not_work_is_repaired_so_many_times():
    asks, archive = refined(["x", "x", "1", "x", "x", "x"], rounds=2, repairs=2)
    assert asks == [("create",), ("repair", 0), ("repair", 1), ("improve", 2), ("repair", 3), ("repair", 4)]
    assert archive.survivors == [2]
    asks, _ = refined(["x", "2"], given=["x"], rounds=2)
    assert asks == [("repair", 0), ("repair", 1)]

"""Which behaviour is learned first."""

from __future__ import annotations

import pytest

from posttrain.evaluation.metrics.dynamics import Learned, curves_of, learned


@pytest.mark.paper("000-text:Learning dynamics of alignment")
def test_the_behaviour_that_is_half_way_first_comes_first():
    """easy makes half of 0.5 to 0.9 at step 10, hard half of 0.5 to 1.0 at step 30; the worse one falls at step 20."""
    rows = [
        {"step": s, "loss": 1.0, "eval/m.accuracy": 0.1, **{f"eval/m.accuracy[kind={k}]": x for k, x in both.items()}}
        for s, e, h in ((0, 0.5, 0.5), (10, 0.8, 0.5), (20, 0.9, 0.6), (30, 0.9, 1.0))
        for both in [{"easy": e, "hard": h}]
    ]
    curves = curves_of(rows)
    assert list(curves) == ["m.accuracy by kind"]
    assert learned(curves["m.accuracy by kind"]) == [Learned("easy", 0.5, 0.9, 10), Learned("hard", 0.5, 1.0, 30)]
    falling = learned({**curves["m.accuracy by kind"], "worse": [(0, 0.5), (20, 0.2), (30, 0.1)]})
    assert [x.behaviour for x in falling] == ["easy", "worse", "hard"]
    assert falling[1].gain == pytest.approx(-0.4)


def test_what_never_changes_is_half_way_at_once_and_nothing_is_nothing():
    assert learned({"a": [(5, 0.5), (9, 0.5)], "b": []}) == [Learned("a", 0.5, 0.5, 5)]
    assert curves_of([{"step": 1, "eval/m.accuracy": 0.5}]) == {}
    assert curves_of([{"step": 1, "eval/m.right[the level=a=b]": 0.5}]) == {"m.right by the level": {"a=b": [(1, 0.5)]}}
    assert str(Learned("a", 0.5, 1.0, 3)) == "a: 0.5 to 1, half way at step 3"

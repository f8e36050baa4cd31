"""Margins of pairs."""

from __future__ import annotations

import pytest
import torch

from posttrain.errors import DataError
from posttrain.records import Pair
from posttrain.selection.margins import by_dimension, earlier_rewards, with_margins


def of(*dimensions):
    return [Pair(i, f"{i}?", "a", "b", {"dimension": d}, f"file:{i}") for i, d in enumerate(dimensions)]


def test_golden_what_was_learned_before():
    """r_1 = 2, r_2 = 3 - 0.5 · 2, r_3 = -1 - 0.5 · (2 + 2)"""
    assert earlier_rewards([1.0], 0.5) == 0
    assert earlier_rewards([1.0, 3.0], 0.5) == 1
    assert earlier_rewards([1.0, 3.0, 6.0, 5.0], 0.5) == 0.5 * (2 + 2 - 3)
    assert earlier_rewards([1.0, 3.0, 6.0, 5.0], 0.0) == 0


@pytest.mark.paper("000:[55]")
def test_at_the_optima_of_the_rounds_the_earlier_rewards_are_the_true_ones():
    """π_n ∝ π_{n-1} exp((R_n + λ Σ_{i<n} R_i)/β): of every pair Σ (R_i(y_w) - R_i(y_l))/β comes out, times λ."""
    beta, keep = 0.4, 0.3
    rewards = torch.tensor([[1.0, 0.0, -0.5], [-2.0, 0.5, 0.0], [0.0, 1.0, 2.0]], dtype=torch.float64)
    policies, learned = [torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64).log()], torch.zeros(3, dtype=torch.float64)
    for reward in rewards:
        policies.append((policies[-1] + (reward + keep * learned) / beta).log_softmax(-1))
        learned = learned + reward
    for a, b in ((0, 1), (1, 2), (2, 0)):
        gaps = [float(p[a] - p[b]) for p in policies]
        assert earlier_rewards(gaps, keep) == pytest.approx(keep * float(learned[a] - learned[b]) / beta)


def test_the_margin_is_a_column_of_the_pair():
    (one,) = with_margins(of("x"), [0.5])
    assert one.columns == {"dimension": "x", "margin": 0.5}
    with pytest.raises(DataError, match="file:0: the column margin is computed here"):
        with_margins([one], [0.5])


def test_dimensions_come_in_their_order():
    parts = by_dimension(of("x", "y", "x"), "dimension", ())
    assert {name: [p.id for p in part] for name, part in parts.items()} == {"x": [0, 2], "y": [1]}
    assert list(by_dimension(of("x", "y"), "dimension", ("y", "x"))) == ["y", "x"]
    assert list(by_dimension(of(2, 1), "dimension", ())) == ["2", "1"]
    assert [p.id for p in by_dimension(of(2, 1), "dimension", ("1", "2"))["1"]] == [1]


def test_a_pair_or_a_dimension_without_the_other_is_an_error():
    with pytest.raises(DataError, match="file:1: its dimension: dimension 'z' is none of x, y; correct the column"):
        by_dimension(of("x", "z"), "dimension", ("x", "y"))
    with pytest.raises(DataError, match="file:0: its dimension: none; correct the column 'level'"):
        by_dimension(of("x"), "level", ())
    with pytest.raises(DataError, match="no pairs of the dimension y; remove it from procedure.dimensions"):
        by_dimension(of("x"), "dimension", ("x", "y"))

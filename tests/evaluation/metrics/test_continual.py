"""Forgetting and transfer on a matrix by hand."""

from __future__ import annotations

import pytest

from posttrain.evaluation.metrics.continual import alignment_tax, transfer


@pytest.mark.paper("000:[49]")
def test_a_matrix_by_hand():
    """Task 0: 0.9, 0.95, 0.6; task 1: 0.2, 0.8, 0.7; task 2: 0.1, 0.3, 0.5; untrained 0.1, 0.1, 0.1."""
    found = transfer([[0.9, 0.2, 0.1], [0.95, 0.8, 0.3], [0.6, 0.7, 0.5]], untrained=[0.1, 0.1, 0.1])
    assert found.average == pytest.approx(0.6)
    assert found.forgetting == pytest.approx(((0.95 - 0.6) + (0.8 - 0.7)) / 2)
    assert found.backward == pytest.approx(((0.6 - 0.9) + (0.7 - 0.8)) / 2)
    assert found.forward == pytest.approx(((0.2 - 0.1) + (0.3 - 0.1)) / 2)


def test_one_task_forgets_nothing_and_later_gains_are_negative_forgetting():
    one = transfer([[0.7]], untrained=[0.2])
    assert (one.average, one.forgetting, one.backward, one.forward) == (0.7, 0.0, 0.0, 0.0)
    assert transfer([[0.5, 0.0], [0.75, 1.0]]).forgetting == -0.25
    assert transfer([[0.5, 0.0], [0.75, 1.0]]).forward is None


def test_scores_that_are_no_square_are_refused():
    for wrong in ([], [[0.1, 0.2]], [[0.1], [0.2]]):
        with pytest.raises(ValueError, match="square"):
            transfer(wrong)


def test_a_tax_is_what_general_abilities_lost():
    assert alignment_tax(0.75, 0.5) == 0.25
    assert alignment_tax(0.5, 0.75) == -0.25

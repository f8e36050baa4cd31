"""Detection: golden numbers of a table that was labelled by hand."""

from __future__ import annotations

import pytest

from posttrain.learners.detection import detection


def test_golden():
    """3 hits, 1 miss, 2 false alarms, 3 correct rejections, 1 that cannot be read (of a true one)."""
    pairs = [(True, True)] * 3 + [(True, False)] + [(False, True)] * 2 + [(False, False)] * 3 + [(True, None)]
    found = detection(pairs)
    assert found["accuracy"] == pytest.approx(0.6)
    assert found["precision"] == pytest.approx(3 / 5)
    assert found["recall"] == pytest.approx(3 / 5)
    assert found["f1"] == pytest.approx(0.6)
    assert (found["asked"], found["unread"]) == (10, 1)


def test_nothing_is_no_success():
    assert detection([])["f1"] == 0
    assert detection([(False, False)])["precision"] == 0
    assert detection([(False, False)])["accuracy"] == 1

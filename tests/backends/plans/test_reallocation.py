"""Parameters that move between groups of different size keep every value, and nothing is sent that is not needed."""

import itertools

import pytest

from posttrain.backends.plans.reallocation import Layout, moves, reallocated, received

SIZE = 37  # no multiple of anything
LAYOUTS = [
    Layout((0,), 1),
    Layout((0, 1), 2),
    Layout((0, 1), 1),  # two copies
    Layout((1, 2, 3), 3),
    Layout((0, 1, 2, 3), 2),  # two copies of two pieces
    Layout((3, 2, 1, 0), 4),
    Layout((4, 5), 2),
]


def held(layout):
    """What every device of a layout has of the numbers 0 to SIZE."""
    return {device: list(range(*piece)) for device, piece in layout.pieces(SIZE).items()}


@pytest.mark.paper("mei2024eqt")
@pytest.mark.parametrize(("before", "after"), itertools.product(LAYOUTS, LAYOUTS))
def test_every_value_arrives_and_none_changes(before, after):
    moved = reallocated(held(before), before, after, SIZE)
    assert moved == held(after)
    assert reallocated(moved, after, before, SIZE) == held(before)
    for move in moves(before, after, SIZE):
        low, high = move.interval
        assert set(range(low, high)) <= set(held(before)[move.source])
        assert not set(range(low, high)) & set(held(before).get(move.target, []))


@pytest.mark.paper("mei2024eqt")
def test_nothing_is_sent_where_nothing_changes_and_copies_share_the_work():
    assert all(moves(layout, layout, SIZE) == [] for layout in LAYOUTS)
    assert moves(Layout((0, 1), 1), Layout((0, 1), 2), SIZE) == []  # a copy has its own piece already
    assert received(Layout((0,), 1), Layout((1, 2), 2), 10) == 5
    sources = [move.source for move in moves(Layout((0, 1), 1), Layout((2, 3), 2), 10)]
    assert sources == [0, 1]

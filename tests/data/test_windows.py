"""Windows are cut where they always are, and begin at any of them."""

from __future__ import annotations

import pytest

from posttrain.data.windows import Windows


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_windows_are_read_from_any_of_them_on(first):
    windows = Windows(lambda: iter(range(7)), 3, lambda rows, start: (start, list(rows)))
    assert list(windows.read(first)) == [(0, [0, 1, 2]), (3, [3, 4, 5]), (6, [6])][first:]


def test_no_more_is_read_than_one_window():
    read = []

    def rows():
        for number in range(10**9):
            read.append(number)
            yield number

    windows = Windows(rows, 3, lambda rows, start: list(rows)).read()
    assert (next(windows), next(windows)) == ([0, 1, 2], [3, 4, 5])
    assert read == list(range(6))

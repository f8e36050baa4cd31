import pytest

from posttrain.data.dataset import from_rows
from posttrain.data.notices import Notices
from posttrain.data.unread import note_unread

ROWS = [{"prompt": "a", "answer": "1", "source": "x", "tools": [{"name": "f"}]}, {"prompt": "b", "answer": "2", "n": 0}]


def lines(**how):
    return from_rows(ROWS, "prompts", **how).notices.lines()


@pytest.mark.fault("B13")
def test_columns_that_nothing_reads_are_one_notice(caplog):
    assert lines(reads=lambda c: c == "answer") == ["the columns 'n', 'source' are not read (2 rows, the first row 0)"]
    assert lines(reads=lambda c: c != "n") == ["the column 'n' is not read (1 row, the first row 1)"]
    assert caplog.messages[0] == "rows: the columns 'n', 'source' are not read (2 rows, the first row 0)"
    assert lines() == []  # what is read is not known


def test_empty_cells_and_the_roots_of_paths_are_not_missed():
    rows = [{"prompt": "a", "truth": {"x": "1"}, "note": "", "old": None}]
    assert (
        from_rows(rows, "prompts", columns={"answer": "truth.x"}, reads=lambda c: c == "answer").notices.lines() == []
    )


def test_without_a_run_columns_are_left_to_whoever_asks_for_them():
    notices = Notices()
    note_unread(from_rows(ROWS, "prompts"), None, {}, notices)
    assert notices.lines() == [
        "the columns 'answer', 'n', 'source' are read only by rewards and losses that ask for them by name "
        "(2 rows, the first row 0)"
    ]

import pytest

from posttrain.data.dataset import from_rows

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

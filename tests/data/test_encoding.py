"""Records that cannot be encoded stop the run or are left out, all of them listed."""

import pytest

from posttrain.data.chat.length import TooLongError
from posttrain.data.dataset import from_rows
from posttrain.data.encoding import encode_all
from posttrain.errors import DataError

ROWS = [{"prompt": text} for text in ("a", "long", "b", "bad", "longer")]


def encode(record):
    if "long" in record.prompt:
        raise TooLongError(f"{record.where}: too long")
    if record.prompt == "bad":
        raise DataError(f"{record.where}: bad")
    return record.prompt.upper()


@pytest.mark.fault("B12")
def test_by_default_the_first_is_named_and_the_others_counted():
    with pytest.raises(
        DataError, match="(?s)^row 1: too long\n2 more rows .*: row 3: bad\n2 rows can be used; .*invalid: drop"
    ):
        encode_all(from_rows(ROWS, "prompts"), encode)


@pytest.mark.fault("B12")
def test_dropped_records_are_listed_and_the_others_stay():
    data = from_rows(ROWS, "prompts", invalid="drop")
    encoded = encode_all(data, encode)
    assert list(encoded.encoded.values()) == ["A", "B"]
    assert [r.prompt for r in encoded.data] == ["a", "b"]
    assert encoded.dropped == ("row 1: too long", "row 3: bad", "row 4: too long")
    assert encoded.data.fingerprint != data.fingerprint


def test_truncate_drop_is_about_length_only():
    data = from_rows([r for r in ROWS if r["prompt"] != "bad"], "prompts", truncate="drop")
    assert [r.prompt for r in encode_all(data, encode).data] == ["a", "b"]
    with pytest.raises(DataError, match="row 3: bad"):
        encode_all(from_rows(ROWS, "prompts", truncate="drop"), encode)


def test_nothing_left_is_an_error():
    with pytest.raises(DataError, match="too long"):
        encode_all(from_rows(ROWS[1:2], "prompts", invalid="drop"), encode)


def test_a_later_window_of_a_stream_may_have_nothing_left():
    encoded = encode_all(from_rows(ROWS[1:2], "prompts", invalid="drop", start=4), encode)
    assert (len(encoded.data), len(encoded.dropped)) == (0, 1)


def test_progress_is_told():
    told = []
    encode_all(from_rows(ROWS[:1], "prompts"), encode, lambda done, total: told.append((done, total)))
    assert told == [(1, 1)]
